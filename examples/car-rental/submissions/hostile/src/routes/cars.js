'use strict';

const express = require('express');
const { pool } = require('../db');
const { HttpError } = require('../http-error');
const validate = require('../validate');

const router = express.Router();

const SELECT_CAR = `
	SELECT c.id, c.name, c.rent_per_day AS "rentPerDay", u.username AS owner
	FROM cars c JOIN users u ON u.id = c.owner_id`;

router.post('/', async (req, res) => {
	const name = validate.text(req.body, 'name', 1, 100);
	const rent = validate.integer(req.body, 'rentPerDay', 1, 100_000);
	const { rows: [car] } = await pool.query(
		`INSERT INTO cars (owner_id, name, rent_per_day) VALUES ($1, $2, $3)
		 RETURNING id, name, rent_per_day AS "rentPerDay"`, [req.user.id, name, rent]);

	res.status(201).json({ ...car, owner: req.user.username });
});

router.get('/', async (req, res) => {
	const { rows } = await pool.query(`${SELECT_CAR} ORDER BY c.id`);

	res.json({ cars: rows });
});

router.get('/:id', async (req, res) => {
	const { rows: [car] } = await pool.query(`${SELECT_CAR} WHERE c.id = $1`,
						 [validate.id(req.params.id)]);

	if (!car)
		throw new HttpError(404, 'no such car');
	res.json(car);
});

router.patch('/:id', async (req, res) => {
	const id = validate.id(req.params.id);
	const rent = validate.integer(req.body, 'rentPerDay', 1, 100_000);
	const { rows: [car] } = await pool.query(
		`UPDATE cars SET rent_per_day = $1 WHERE id = $2 AND owner_id = $3
		 RETURNING id, name, rent_per_day AS "rentPerDay"`, [rent, id, req.user.id]);

	if (!car)
		throw new HttpError(404, 'you have no such car');
	res.json({ ...car, owner: req.user.username });
});

module.exports = router;
