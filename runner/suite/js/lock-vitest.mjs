// SPDX-License-Identifier: MIT
// A setup file of the real Vitest: before the first hook and test of each file.

import { beforeAll } from 'vitest';
import { lock } from './lock.cjs';

beforeAll(lock);
