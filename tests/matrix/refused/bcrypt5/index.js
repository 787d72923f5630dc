const http = require('http');
const bcrypt = require('bcrypt');

http.createServer((req, res) => res.end(bcrypt.hashSync('secret', 4))).listen(process.env.PORT);
