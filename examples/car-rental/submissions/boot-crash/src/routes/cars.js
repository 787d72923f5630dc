const { Router } = require('express');
const { Pool } = require('pg');

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const router = Router();

router.get('/', async (req, res) => {
	const { rows } = await pool.query('SELECT * FROM cars');

	res.json({ cars: rows });
});

module.exports = router;
