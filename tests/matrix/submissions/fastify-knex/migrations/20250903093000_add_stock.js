export async function up(knex) {
  await knex.schema.alterTable('books', (table) => {
    table.integer('stock').notNullable().defaultTo(0);
    table.unique('isbn');
  });
}

export async function down(knex) {
  await knex.schema.alterTable('books', (table) => {
    table.dropUnique('isbn');
    table.dropColumn('stock');
  });
}
