module.exports = {
	up: (q, Sequelize) =>
		q.createTable('Todos', {
			id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
			title: Sequelize.STRING,
		}),
	down: (q) => q.dropTable('Todos'),
};
