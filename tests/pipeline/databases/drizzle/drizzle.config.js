module.exports = { dialect: 'postgresql', schema: './schema.js', out: './drizzle' };
