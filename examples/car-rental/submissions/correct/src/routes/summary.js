'use strict';

const express = require('express');
const { pool } = require('../db');

const router = express.Router();

router.get('/', async (req, res) => {
	// count() and sum() are bigint, which pg hands out as text: cast them back to numbers.
	const { rows: [summary] } = await pool.query(
		`SELECT count(*)::int AS bookings, coalesce(sum(days), 0)::int AS days,
			coalesce(sum(days * rent_per_day), 0)::float8 AS total
		 FROM bookings WHERE user_id = $1`, [req.user.id]);

	res.json({ username: req.user.username, ...summary });
});

module.exports = router;
