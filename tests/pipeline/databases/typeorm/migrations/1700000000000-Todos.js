class Todos1700000000000 {
	async up(q) {
		await q.query('CREATE TABLE todos (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), title text)');
	}
	async down(q) {
		await q.query('DROP TABLE todos');
	}
}
exports.Todos1700000000000 = Todos1700000000000;
