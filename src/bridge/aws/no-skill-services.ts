/** Stands in for `ask-sdk-model` in a bundle: 62 kB of clients for Alexa's services, which only a skill with an `ApiClient` makes. */

/** Read by the SDK when it is loaded, and used for nothing. */
export const services = {}
