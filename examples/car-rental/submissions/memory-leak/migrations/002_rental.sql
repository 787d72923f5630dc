CREATE TABLE cars (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	owner_id integer NOT NULL REFERENCES users (id),
	name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
	rent_per_day integer NOT NULL CHECK (rent_per_day BETWEEN 1 AND 100000)
);

-- The price of the day of booking stays with the booking; the car's may change later.
CREATE TABLE bookings (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id integer NOT NULL REFERENCES users (id),
	car_id integer NOT NULL REFERENCES cars (id),
	from_day date NOT NULL,
	to_day date NOT NULL,
	rent_per_day integer NOT NULL,
	days integer GENERATED ALWAYS AS (to_day - from_day + 1) STORED,
	CHECK (from_day <= to_day)
);

CREATE INDEX bookings_user_id ON bookings (user_id);
CREATE INDEX bookings_car_id ON bookings (car_id, from_day);
