CREATE TABLE users (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	username text NOT NULL UNIQUE,
	email text NOT NULL,
	password_salt bytea NOT NULL,
	password_hash bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);

-- Ada@Example.com and ada@example.com are one mailbox.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

-- Only the hash of a token is kept: who reads this table cannot log in with it.
CREATE TABLE sessions (
	token_hash bytea PRIMARY KEY,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now()
);
