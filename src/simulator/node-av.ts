/** The parts of `node-av` in use, as one module: Node makes it once, however often it is imported. */
export * from 'node-av/constants'
export * from 'node-av/lib'
