const express = require("express");
const crypto = require("crypto");
const { Pool, types } = require("pg");

types.setTypeParser(1082, (s) => s); // dates as strings

const db = new Pool({ connectionString: process.env.DATABASE_URL });
const SECRET = crypto.randomBytes(32);
const app = express();
app.use(express.json());

function hash(password, salt = crypto.randomBytes(8).toString("hex")) {
  return salt + ":" + crypto.scryptSync(password, salt, 32, { N: 4096 }).toString("hex");
}

function sign(userId) {
  const mac = crypto.createHmac("sha256", SECRET).update(String(userId)).digest("hex");
  return `${userId}.${mac}`;
}

async function auth(req, res, next) {
  const token = (req.headers.authorization || "").replace("Bearer ", "");
  const userId = token.split(".")[0];
  if (sign(userId) !== token) return res.status(401).json({ error: "unauthorized" });
  const { rows } = await db.query("select id, username, email from users where id = $1", [userId]);
  if (!rows[0]) return res.status(401).json({ error: "unauthorized" });
  req.user = rows[0];
  next();
}

app.post("/signup", async (req, res) => {
  const { username, email, password } = req.body || {};
  if (typeof username !== "string" || username.length < 3 || username.length > 30)
    return res.status(400).json({ error: "bad username" });
  if (typeof email !== "string" || !email.includes("@"))
    return res.status(400).json({ error: "bad email" });
  if (typeof password !== "string" || password.length < 8)
    return res.status(400).json({ error: "bad password" });
  const taken = await db.query("select 1 from users where username = $1 or email = $2", [username, email]);
  if (taken.rows.length > 0) return res.status(409).json({ error: "already taken" });
  const { rows } = await db.query(
    "insert into users (username, email, password) values ($1, $2, $3) returning id, username, email",
    [username, email, hash(password)]
  );
  res.status(201).json(rows[0]);
});

app.post("/login", async (req, res) => {
  const { username, password } = req.body || {};
  if (!username || !password) return res.status(400).json({ error: "username and password needed" });
  const { rows } = await db.query("select * from users where username = $1", [username]);
  const user = rows[0];
  if (!user || hash(password, user.password.split(":")[0]) !== user.password)
    return res.status(401).json({ error: "wrong username or password" });
  res.json({ token: sign(user.id) });
});

app.get("/me", auth, (req, res) => res.json(req.user));

// ---- cars

const carQuery = `select cars.id, name, rent as "rentPerDay", username as owner
  from cars join users on users.id = owner_id`;

app.post("/cars", auth, async (req, res) => {
  const { name, rentPerDay } = req.body || {};
  if (!name || !Number.isInteger(rentPerDay) || rentPerDay < 1)
    return res.status(400).json({ error: "name and rentPerDay needed" });
  const { rows } = await db.query(
    "insert into cars (owner_id, name, rent) values ($1, $2, $3) returning id",
    [req.user.id, name, rentPerDay]
  );
  res.status(201).json({ id: rows[0].id, name, rentPerDay, owner: req.user.username });
});

app.get("/cars", auth, async (req, res) => {
  const { rows } = await db.query(carQuery);
  res.json({ cars: rows });
});

app.get("/cars/:id", auth, async (req, res) => {
  const { rows } = await db.query(`${carQuery} where cars.id = $1`, [req.params.id]);
  if (!rows[0]) return res.status(404).json({ error: "no such car" });
  res.json(rows[0]);
});

app.patch("/cars/:id", auth, async (req, res) => {
  const { rows } = await db.query(`${carQuery} where cars.id = $1`, [req.params.id]);
  if (!rows[0]) return res.status(404).json({ error: "no such car" });
  if (rows[0].owner !== req.user.username) return res.status(403).json({ error: "not your car" });
  await db.query("update cars set rent = $1 where id = $2", [req.body.rentPerDay, req.params.id]);
  res.json({ ...rows[0], rentPerDay: req.body.rentPerDay });
});

// ---- bookings

const bookingQuery = `select bookings.*, cars.name, cars.rent
  from bookings join cars on cars.id = car_id`;

function toJson(b) {
  const days = Math.round((new Date(b.end_date) - new Date(b.start_date)) / 86400000) + 1;
  return {
    id: b.id,
    car: { id: b.car_id, name: b.name },
    from: b.start_date,
    to: b.end_date,
    days,
    total: days * b.rent,
  };
}

app.post("/bookings", auth, async (req, res) => {
  const { carId, from, to } = req.body || {};
  if (!carId || !from || !to || from > to)
    return res.status(400).json({ error: "carId, from and to needed" });
  const car = await db.query("select * from cars where id = $1", [carId]);
  if (!car.rows[0]) return res.status(404).json({ error: "no such car" });
  const overlap = await db.query(
    "select 1 from bookings where car_id = $1 and start_date <= $3 and end_date >= $2",
    [carId, from, to]
  );
  if (overlap.rows[0]) return res.status(409).json({ error: "car is already booked" });
  const { rows } = await db.query(
    "insert into bookings (user_id, car_id, start_date, end_date) values ($1, $2, $3, $4) returning *",
    [req.user.id, carId, from, to]
  );
  res.status(201).json(toJson({ ...rows[0], name: car.rows[0].name, rent: car.rows[0].rent }));
});

app.get("/bookings", auth, async (req, res) => {
  const { rows } = await db.query(
    `${bookingQuery} where user_id = $1 and not deleted order by bookings.id`,
    [req.user.id]
  );
  res.json({ bookings: rows.map(toJson) });
});

app.get("/bookings/:id", auth, async (req, res) => {
  const { rows } = await db.query(`${bookingQuery} where bookings.id = $1 and not deleted`, [req.params.id]);
  if (!rows[0]) return res.status(404).json({ error: "no such booking" });
  res.json(toJson(rows[0]));
});

app.patch("/bookings/:id", auth, async (req, res) => {
  const { from, to } = req.body || {};
  if (!from || !to || from > to) return res.status(400).json({ error: "from and to needed" });
  const updated = await db.query(
    "update bookings set start_date = $1, end_date = $2 where id = $3 and not deleted",
    [from, to, req.params.id]
  );
  if (updated.rowCount === 0) return res.status(404).json({ error: "no such booking" });
  const { rows } = await db.query(`${bookingQuery} where bookings.id = $1`, [req.params.id]);
  res.json(toJson(rows[0]));
});

app.delete("/bookings/:id", auth, async (req, res) => {
  const deleted = await db.query("update bookings set deleted = true where id = $1 and not deleted", [
    req.params.id,
  ]);
  if (deleted.rowCount === 0) return res.status(404).json({ error: "no such booking" });
  res.status(204).end();
});

app.get("/summary", auth, async (req, res) => {
  const { rows } = await db.query(`${bookingQuery} where user_id = $1`, [req.user.id]);
  const bookings = rows.map(toJson);
  res.json({
    username: req.user.username,
    bookings: bookings.length,
    days: bookings.reduce((sum, b) => sum + b.days, 0),
    total: bookings.reduce((sum, b) => sum + b.total, 0),
  });
});

const port = process.env.PORT || 8000;
app.listen(port, () => console.log("Server running on port " + port));
