'use strict';

const express = require('express');
const { pool, transaction } = require('../db');
const { HttpError } = require('../http-error');
const validate = require('../validate');

const router = express.Router();

const SELECT_BOOKING = `
	SELECT b.id, c.id AS car_id, c.name AS car_name, b.from_day, b.to_day, b.days,
	       b.days * b.rent_per_day AS total
	FROM bookings b JOIN cars c ON c.id = b.car_id`;

function present(row) {
	return {
		id: row.id,
		car: { id: row.car_id, name: row.car_name },
		from: row.from_day,
		to: row.to_day,
		days: row.days,
		total: row.total,
	};
}

async function find(client, id, user) {
	const { rows: [row] } = await client.query(
		`${SELECT_BOOKING} WHERE b.id = $1 AND b.user_id = $2`, [id, user.id]);

	if (!row)
		throw new HttpError(404, 'you have no such booking');
	return present(row);
}

/*
 * Holding the car's row makes "is it free?" and the write that follows one step for everybody
 * who wants the same car.
 */
async function lockCar(client, id) {
	const { rows: [car] } = await client.query(
		'SELECT id, rent_per_day FROM cars WHERE id = $1 FOR UPDATE', [id]);

	if (!car)
		throw new HttpError(404, 'no such car');
	return car;
}

async function assertFree(client, carId, { from, to }, exceptBooking) {
	const { rowCount } = await client.query(
		`SELECT 1 FROM bookings
		 WHERE car_id = $1 AND from_day <= $3 AND to_day >= $2 AND id <> $4 LIMIT 1`,
		[carId, from, to, exceptBooking]);

	if (rowCount > 0)
		throw new HttpError(409, 'the car is taken on some of these days');
}

router.post('/', async (req, res) => {
	const carId = validate.integer(req.body, 'carId', 1, 999_999_999);
	const days = validate.period(req.body);

	const booking = await transaction(async (client) => {
		const car = await lockCar(client, carId);

		await assertFree(client, carId, days, 0);
		const { rows: [{ id }] } = await client.query(
			`INSERT INTO bookings (user_id, car_id, from_day, to_day, rent_per_day)
			 VALUES ($1, $2, $3, $4, $5) RETURNING id`,
			[req.user.id, carId, days.from, days.to, car.rent_per_day]);
		return find(client, id, req.user);
	});
	res.status(201).json(booking);
});

router.get('/', async (req, res) => {
	const { rows } = await pool.query(`${SELECT_BOOKING} WHERE b.user_id = $1 ORDER BY b.id`,
					  [req.user.id]);

	res.json({ bookings: rows.map(present) });
});

router.get('/:id', async (req, res) => {
	res.json(await find(pool, validate.id(req.params.id), req.user));
});

router.patch('/:id', async (req, res) => {
	const id = validate.id(req.params.id);
	const days = validate.period(req.body);

	const booking = await transaction(async (client) => {
		const { car } = await find(client, id, req.user);

		await lockCar(client, car.id);
		await assertFree(client, car.id, days, id);
		await client.query('UPDATE bookings SET from_day = $1, to_day = $2 WHERE id = $3',
				   [days.from, days.to, id]);
		return find(client, id, req.user);
	});
	res.json(booking);
});

router.delete('/:id', async (req, res) => {
	const { rowCount } = await pool.query('DELETE FROM bookings WHERE id = $1 AND user_id = $2',
					      [validate.id(req.params.id), req.user.id]);

	if (rowCount === 0)
		throw new HttpError(404, 'you have no such booking');
	res.status(204).end();
});

module.exports = router;
