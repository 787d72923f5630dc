// SPDX-License-Identifier: MIT
// The leaderboard as a table. Everything that comes from outside becomes text, never markup.

// element('td', { class: 'x' }, 'text', element(...))
export function element(name, attributes = {}, ...content) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		if (value !== null && value !== undefined) made.setAttribute(key, value);
	made.append(...content);
	return made;
}

const thousandths = (points) => String(Math.round(points / 10) / 100);
const plural = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`;

function headOf(board) {
	const icpc = board.rules !== 'points';
	const cells = [
		element('th', { scope: 'col', role: 'columnheader', class: 'rank' }, '#'),
		element('th', { scope: 'col', role: 'columnheader' }, 'Student'),
		element('th', { scope: 'col', role: 'columnheader', class: 'number' }, icpc ? 'Solved' : 'Points'),
		element('th', { scope: 'col', role: 'columnheader', class: 'number' }, icpc ? 'Minutes' : 'Time'),
		...board.challenges.map((id) => element('th', { scope: 'col', role: 'columnheader', class: 'cell' }, id)),
	];
	return element('tr', { role: 'row' }, ...cells);
}

function clockOf(seconds) {
	const two = (n) => String(n).padStart(2, '0');
	return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

// What a cell shows, and what it is read out as.
function cellTexts(board, cell) {
	if (!cell) return ['none', '·', 'not tried'];
	const minutes = Math.max(0, Math.floor((cell.at_ms - board.starts_ms) / 60000));
	const fails = cell.fails ? `, ${plural(cell.fails, 'failed attempt')}` : '';
	if (board.rules === 'points') {
		const points = thousandths(cell.points);
		return [cell.points ? 'good' : 'bad', cell.fails ? `${points} (+${cell.fails})` : points, `${points} points${fails}`];
	}
	if (cell.solved)
		return ['good', `✓ ${minutes}′${cell.fails ? ` +${cell.fails}` : ''}`, `solved in minute ${minutes}${fails}`];
	return ['bad', `−${cell.fails}`, `not solved${fails}`];
}

function cellOf(board, row, challenge) {
	const cell = row.cells[challenge];
	const [kind, text, spoken] = cellTexts(board, cell);
	return element('td', { role: 'cell', class: `cell${cell ? '' : ' untried'}`, 'data-challenge': challenge },
		element('span', { class: `chip ${kind}`, 'aria-hidden': 'true' }, text),
		element('span', { class: 'unseen' }, spoken));
}

function rowOf(board, row, own) {
	const icpc = board.rules !== 'points';
	const name = element('th', { scope: 'row', role: 'rowheader' }, element('bdi', {}, row.name));
	if (own) name.append(element('span', { class: 'you' }, 'you'));
	return element('tr', { role: 'row', class: own ? 'own' : null, 'data-student': row.student },
		element('td', { role: 'cell', class: 'rank' }, String(row.rank)),
		name,
		element('td', { role: 'cell', class: 'number main-number', 'data-unit': icpc ? 'solved' : 'points' },
			icpc ? String(row.solved) : thousandths(row.points)),
		element('td', { role: 'cell', class: 'number', 'data-unit': icpc ? 'min' : null },
			icpc ? String(Math.floor(row.penalty_s / 60)) : clockOf(row.penalty_s)),
		...board.challenges.map((challenge) => cellOf(board, row, challenge)));
}

const textOf = (row) => row.score + JSON.stringify(row.cells);

export class Board {
	#table;
	#shown = new Map(); // student -> what their row said, to see what has changed

	constructor(table) {
		this.#table = table;
		// as display: grid on phones the elements would not mean a table any more
		table.setAttribute('role', 'table');
		table.tHead.setAttribute('role', 'rowgroup');
		table.tBodies[0].setAttribute('role', 'rowgroup');
	}

	// `place`: the own row, which may be further down than what the board shows.
	show(board, student, place) {
		const first = this.#shown.size === 0;
		const rows = board.rows.map((row) => this.#row(board, row, row.student === student, first));
		if (place && !board.rows.some((row) => row.student === student)) {
			const last = this.#row(board, place, true, first);
			last.classList.add('gap');
			rows.push(last);
		}
		this.#table.tHead.replaceChildren(headOf(board));
		this.#table.tBodies[0].replaceChildren(...rows);
		this.#shown = new Map([...board.rows, ...(place ? [place] : [])].map((row) => [row.student, textOf(row)]));
	}

	#row(board, row, own, first) {
		const made = rowOf(board, row, own);
		if (!first && this.#shown.get(row.student) !== textOf(row)) made.classList.add('changed');
		return made;
	}
}
