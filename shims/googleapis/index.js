/** Stands in for the 90 MB `googleapis` package, of which `actions-on-google` uses one class, in calls that we never make. */
'use strict'

exports.google = {
  auth: {
    /** Loaded on first use: at start nobody needs it. google-auth-library 10 takes options where `actions-on-google` gives positions. */
    get JWT() {
      const { JWT } = require('google-auth-library')
      return class extends JWT {
        constructor(email, keyFile, key, scopes, subject) {
          super({ email, keyFile, key, scopes, subject })
        }
      }
    },
  },
}
