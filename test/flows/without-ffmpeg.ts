/** Loaded before a program (`--import`): the module loader then finds no `node-av`, as after `npm install --omit=optional`. */
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    if (!/^(node-av|@seydx\/)/.test(specifier)) return next(specifier, context)
    throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})
