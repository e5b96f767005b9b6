/** KVS's JavaScript SDK lists jsdom as a dependency and never loads it. */
throw new Error('jsdom is not installed here: nothing was known to load it')
