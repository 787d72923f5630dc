create table users (
  id serial primary key,
  username text not null unique,
  email text not null unique,
  password text not null
);

create table cars (
  id serial primary key,
  owner_id int not null references users(id),
  name text not null,
  rent int not null
);

create table bookings (
  id serial primary key,
  user_id int not null references users(id),
  car_id int not null references cars(id),
  start_date date not null,
  end_date date not null,
  deleted boolean not null default false
);
