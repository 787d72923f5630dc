'use strict';

/* Tries to reach the cloud's metadata, the local network, the Internet, name servers and the host's own services. */

const dgram = require('node:dgram');
const dns = require('node:dns');
const net = require('node:net');

const TIMEOUT_MS = 400;

const ADDRESSES = [
	['169.254.169.254', 80], ['fd00:ec2::254', 80], ['100.100.100.200', 80],
	['10.0.0.1', 80], ['172.17.0.1', 2375], ['192.168.0.1', 80],
	['1.1.1.1', 443], ['8.8.8.8', 53], ['2606:4700:4700::1111', 443],
	['127.0.0.1', 22], ['127.0.0.1', 80], ['127.0.0.1', 2375], ['127.0.0.1', 3306], ['127.0.0.1', 6379],
];

const SOCKETS = [
	'/var/run/docker.sock', '/run/containerd/containerd.sock', '/run/dbus/system_bus_socket',
	'/run/systemd/private', '/run/postgresql/.s.PGSQL.5432', '/tmp/.s.PGSQL.5432', '\0containerd-shim',
];

function connect(attack, options) {
	return new Promise((resolve) => {
		const socket = net.connect({ ...options, timeout: TIMEOUT_MS });
		const end = (got, detail) => {
			socket.destroy();
			resolve({ attack, got, detail });
		};

		socket.once('connect', () => end(true, 'connected'));
		socket.once('timeout', () => end(false, 'no answer'));
		socket.once('error', (err) => end(false, err.code ?? err.message));
	});
}

function bounded(attack, start) {
	return new Promise((resolve) => {
		const end = (err, detail) => resolve({ attack, got: !err, detail: err ? err.code ?? err.message : detail });

		setTimeout(() => end(new Error('no answer')), TIMEOUT_MS);
		try {
			start(end);
		} catch (err) {
			end(err);
		}
	});
}

function sendDatagram(end) {
	const socket = dgram.createSocket('udp4');
	const close = (err) => {
		socket.close();
		end(err, 'sent');
	};

	socket.on('error', close);
	socket.send('what I know', 53, '8.8.8.8', close);
}

function askNameServer(end) {
	const resolver = new dns.Resolver({ timeout: TIMEOUT_MS / 2, tries: 1 });

	resolver.setServers(['8.8.8.8', '1.1.1.1']);
	resolver.resolve4('example.com', (err, addresses) => end(err, String(addresses)));
}

function lookUp(end) {
	dns.lookup('example.com', (err, address) => end(err, address));
}

async function network() {
	return Promise.all([
		...ADDRESSES.map(([host, port]) => connect(`connect to ${host} port ${port}`, { host, port })),
		...SOCKETS.map((path) => connect(`connect to ${path.replace('\0', '@')}`, { path })),
		bounded('send UDP to 8.8.8.8', sendDatagram),
		bounded('ask the name server 8.8.8.8', askNameServer),
		bounded('look up example.com', lookUp),
	]);
}

module.exports = network;
