export async function up(knex) {
  await knex.schema.createTable('books', (table) => {
    table.increments('id');
    table.string('title').notNullable();
    table.string('author').notNullable();
    table.string('isbn').notNullable();
    table.integer('year').notNullable();
    table.double('price').notNullable();
  });
}

export async function down(knex) {
  await knex.schema.dropTable('books');
}
