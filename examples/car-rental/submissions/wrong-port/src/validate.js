'use strict';

const { HttpError } = require('./http-error');

function bad(message) {
	return new HttpError(400, message);
}

function text(body, key, min, max) {
	const value = body?.[key];

	if (typeof value !== 'string' || value.length < min || value.length > max)
		throw bad(`${key} must be a text of ${min} to ${max} characters`);
	if (value.includes('\0'))
		throw bad(`${key} must not contain NUL`);
	return value;
}

function email(body) {
	const value = text(body, 'email', 3, 200);

	if (!/^[^@\s]+@[^@\s]+$/.test(value))
		throw bad('email must look like name@host');
	return value;
}

function integer(body, key, min, max) {
	const value = body?.[key];

	if (!Number.isInteger(value) || value < min || value > max)
		throw bad(`${key} must be a whole number from ${min} to ${max}`);
	return value;
}

function day(body, key) {
	const value = body?.[key];

	if (typeof value !== 'string' || !/^[12]\d{3}-\d{2}-\d{2}$/.test(value))
		throw bad(`${key} must be a date like 2030-05-01`);
	const date = new Date(`${value}T00:00:00Z`);
	if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== value)
		throw bad(`${key}: there is no such day`);
	return value;
}

function period(body) {
	const from = day(body, 'from');
	const to = day(body, 'to');
	const days = (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;

	if (days < 1)
		throw bad('to must not be before from');
	if (days > 365)
		throw bad('a booking lasts 365 days at most');
	return { from, to };
}

/* The id of a path. What cannot be an id names nothing, so it is a 404. */
function id(param) {
	if (!/^[1-9]\d{0,8}$/.test(param))
		throw new HttpError(404, 'not found');
	return Number(param);
}

module.exports = { text, email, integer, period, id };
