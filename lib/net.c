/* SPDX-License-Identifier: MIT */

/*
 * Sockets in a jail's network namespace. The jail's init makes them and passes them out; a socket
 * belongs to the namespace it was made in for all its life, so that connecting and listening can
 * happen here. What listens in there is asked of the kernel by sock_diag(7), through a netlink
 * socket obtained the same way.
 */

#include "error.h"
#include "jail.h"
#include "util/util.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#define TCP_LISTEN_STATE 10 /* TCP_LISTEN of linux/tcp_states.h, which is not exported */

SBX_PUBLIC int sbx_jail_socket(struct sbx_jail *j, int domain, int type, int protocol,
			       struct sbx_error *err)
{
	struct socket_request request = {
		.type = MSG_SOCKET, .domain = domain, .socket_type = type, .protocol = protocol
	};
	struct iovec part = { &request, sizeof(request) };
	int fd = -1, r = jail_request(j, &part, 1, NULL, 0, &fd, err);

	return r < 0 ? r : fd;
}

/* 0 connected; -errno. The socket is non-blocking meanwhile. */
static int connect_by(int fd, const struct sockaddr *addr, socklen_t len, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	uint64_t now;
	int r, error;

	if (connect(fd, addr, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	do {
		now = now_ns();
		if (now >= deadline)
			return -ETIMEDOUT;
		r = poll(&p, 1,
			 (int)MIN_OF((deadline - now) / NSEC_PER_MSEC + 1, (uint64_t)3600000));
	} while (r == 0 || (r < 0 && errno == EINTR));
	if (r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

static int try_connect(struct sbx_jail *j, int domain, uint16_t port, uint64_t deadline,
		       struct sbx_error *err)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	_cleanup_close_ int fd = sbx_jail_socket(
		j, domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, err);
	int r;

	if (fd < 0)
		return fd;
	r = domain == AF_INET ? connect_by(fd, (struct sockaddr *)&v4, sizeof(v4), deadline)
			      : connect_by(fd, (struct sockaddr *)&v6, sizeof(v6), deadline);
	if (r < 0) {
		char item[16];

		(void)snprintf(item, sizeof(item), "port %u", port);
		return error_set(err, r, "connect", item, "no connection to the port in the jail");
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return steal_fd(&fd);
}

SBX_PUBLIC int sbx_jail_connect(struct sbx_jail *j, uint16_t port, uint64_t timeout_ns,
				struct sbx_error *err)
{
	uint64_t deadline = deadline_after(timeout_ns);
	int fd = try_connect(j, AF_INET, port, deadline, err);

	return fd == -ECONNREFUSED ? try_connect(j, AF_INET6, port, deadline, err) : fd;
}

SBX_PUBLIC int sbx_jail_listen(struct sbx_jail *j, uint16_t port, int backlog,
			       struct sbx_error *err)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int fd = sbx_jail_socket(j, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, err);
	char item[16];
	int one = 1;

	if (fd < 0)
		return fd;
	(void)snprintf(item, sizeof(item), "port %u", port);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&v4, sizeof(v4)) < 0 || listen(fd, backlog) < 0)
		return error_set(err, -errno, "listen", item, "cannot listen in the jail");
	return steal_fd(&fd);
}

/* ----------------------------------------------------------------------- sock_diag */

static int diag_socket(struct sbx_jail *j, struct sbx_error *err)
{
	int fd;

	if (j->diag >= 0)
		return j->diag;
	fd = sbx_jail_socket(j, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG, err);
	if (fd >= 0)
		j->diag = fd;
	return fd;
}

struct diag_query {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

/*
 * One lookup by address and port; never with the wildcard address, which does not find a socket
 * that listens on 127.0.0.1 alone.
 */
static int lookup(int fd, int family, uint16_t port)
{
	struct diag_query q = {
		.head = { .nlmsg_len = sizeof(q),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = (uint8_t)family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = ~0u },
	};
	union {
		struct nlmsghdr head;
		char bytes[4096];
	} reply;
	struct inet_diag_msg *m = NLMSG_DATA(&reply.head);
	ssize_t n;

	q.body.id.idiag_sport = htons(port);
	q.body.id.idiag_cookie[0] = q.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (family == AF_INET)
		q.body.id.idiag_src[0] = q.body.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
	else
		q.body.id.idiag_src[3] = q.body.id.idiag_dst[3] = htonl(1);
	if (send(fd, &q, sizeof(q), 0) < 0)
		return -errno;
	do
		n = recv(fd, &reply, sizeof(reply), 0);
	while (n < 0 && errno == EINTR);
	if (n < (ssize_t)sizeof(reply.head))
		return n < 0 ? -errno : -EPROTO;
	if (reply.head.nlmsg_type == NLMSG_ERROR) /* -ENOENT: nothing there */
		return 0;
	return n >= (ssize_t)(sizeof(reply.head) + sizeof(*m)) &&
	       m->idiag_state == TCP_LISTEN_STATE;
}

SBX_PUBLIC int sbx_jail_listening(struct sbx_jail *j, uint16_t port, struct sbx_error *err)
{
	int fd = diag_socket(j, err), r;

	if (fd < 0)
		return fd;
	r = lookup(fd, AF_INET, port);
	if (r == 0)
		r = lookup(fd, AF_INET6, port);
	return r < 0 ? error_set(err, r, "sock_diag", j->label,
				 "the kernel does not say what listens")
		     : r;
}

SBX_PUBLIC int sbx_jail_wait_listening(struct sbx_jail *j, uint16_t port, uint64_t timeout_ns,
				       struct sbx_proc *p, struct sbx_error *err)
{
	uint64_t deadline = deadline_after(timeout_ns), pause = NSEC_PER_MSEC;
	struct pollfd fd = { .fd = p ? sbx_proc_pollfd(p) : -1, .events = POLLIN };
	int r;

	for (;;) {
		r = sbx_jail_listening(j, port, err);
		if (r)
			return r < 0 ? r : 0;
		if (p && (r = sbx_proc_dispatch(p, err)))
			return r < 0 ? r
				     : error_set(err, -ECHILD, "wait", j->label,
						 "the program ended");
		if (now_ns() >= deadline)
			return error_set(err, -ETIMEDOUT, "wait", j->label,
					 "nothing listens on port %u", port);
		(void)poll(&fd, 1, (int)(pause / NSEC_PER_MSEC));
		pause = MIN_OF(pause * 3 / 2, 20 * NSEC_PER_MSEC);
	}
}

struct listener_list {
	struct sbx_listener *list;
	uint32_t n, count;
};

static int add_listener(struct nl_msg *msg, void *data)
{
	const struct nlmsghdr *head = nlmsg_hdr(msg);
	const struct inet_diag_msg *m = nlmsg_data(head);
	struct listener_list *l = data;
	struct sbx_listener *out;

	if (!nlmsg_valid_hdr(head, sizeof(*m)))
		return NL_SKIP;
	if (l->count++ >= l->n)
		return NL_OK;
	out = &l->list[l->count - 1];
	memset(out, 0, sizeof(*out));
	out->family = m->idiag_family;
	out->port = ntohs(m->id.idiag_sport);
	out->uid = m->idiag_uid;
	memcpy(out->address, m->id.idiag_src, m->idiag_family == AF_INET ? 4 : 16);
	return NL_OK;
}

static int dump_family(struct nl_sock *sk, int family)
{
	struct inet_diag_req_v2 q = { .sdiag_family = (uint8_t)family,
				      .sdiag_protocol = IPPROTO_TCP,
				      .idiag_states = 1u << TCP_LISTEN_STATE };
	int r = nl_send_simple(sk, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &q, sizeof(q));

	return r < 0 ? r : nl_recvmsgs_default(sk);
}

/* On a duplicate of the netlink socket: libnl closes what it is given. */
SBX_PUBLIC int sbx_jail_listeners(struct sbx_jail *j, struct sbx_listener *ret, uint32_t n,
				  struct sbx_error *err)
{
	struct listener_list list = { .list = ret, .n = n };
	int diag = diag_socket(j, err), fd, r;
	struct nl_sock *sk;

	if (diag < 0)
		return diag;
	fd = fcntl(diag, F_DUPFD_CLOEXEC, 3);
	sk = nl_socket_alloc();
	if (fd < 0 || !sk || nl_socket_set_fd(sk, NETLINK_SOCK_DIAG, fd) < 0) {
		nl_socket_free(sk);
		close_fd(fd);
		return error_set(err, -ENOMEM, "sock_diag", j->label, "cannot ask what listens");
	}
	nl_socket_disable_seq_check(sk);
	(void)nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, add_listener, &list);
	r = dump_family(sk, AF_INET);
	if (r >= 0)
		r = dump_family(sk, AF_INET6);
	nl_socket_free(sk);
	if (r < 0)
		return error_set(err, -EPROTO, "sock_diag", j->label,
				 "the kernel does not say what listens");
	return (int)list.count;
}
