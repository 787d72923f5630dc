INSERT INTO todos (title) VALUES ('not wanted');
