/** The crypto of this runtime: all that KVS's JavaScript SDK wants of a package that otherwise brings React Native with it. */
module.exports = globalThis.crypto
