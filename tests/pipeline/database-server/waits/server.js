// Never listens: whoever watches the server sees its session. It ends when its database does.
const { Client } = require('pg');
const client = new Client({ connectionString: process.env.DATABASE_URL });
client.on('error', () => process.exit(1));
client.connect().then(() => client.query("SET application_name = 'the submission waits'"));
