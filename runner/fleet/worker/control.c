/* SPDX-License-Identifier: MIT */

/* See control.h. */

#include "fleet/worker/control.h"

#include <sys/socket.h>

#include "util/util.h"

int control_send(int socket, const struct control_packet *p)
{
	ssize_t n;

	do
		n = send(socket, p, sizeof(*p), MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int control_receive(int socket, struct control_packet *ret)
{
	ssize_t n;

	do
		n = recv(socket, ret, sizeof(*ret), MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	if ((size_t)n != sizeof(*ret))
		return -EBADMSG;
	ret->id[sizeof(ret->id) - 1] = '\0';
	ret->text[sizeof(ret->text) - 1] = '\0';
	return 1;
}
