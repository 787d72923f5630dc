const knex = require('knex')(require('./knexfile'));
require('./serve')(() => knex('todos').select('title'), (title) => knex('todos').insert({ title }));
