// SPDX-License-Identifier: MIT
'use strict';
// Tests merge answers into objects of theirs, and { "__proto__": { "negate": true } } then turns
// around what every later expect() says: chai's flags are a plain object. What all objects inherit
// from gets no new members once tests run. What files add to it while they are loaded (chai.should()) stays.

const { prototype: object } = Object;
const { prototype: array } = Array;
const { preventExtensions } = Object;

exports.lock = () => {
	preventExtensions(object);
	preventExtensions(array);
};
