import { describe, it } from 'vitest'

describe('declared', () => { it('before', () => {}) })
throw new Error('this file cannot be loaded')
