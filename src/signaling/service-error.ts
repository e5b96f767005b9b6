/** What the service refuses, in the words and with the statuses of the KVS API. */

/** Error types of the service model and of AWS's common errors, with their HTTP status. */
const statusOf = {
  // Who is asking: cameras fetch new credentials or mend their clock on 403.
  MissingAuthenticationTokenException: 403,
  IncompleteSignatureException: 403,
  InvalidSignatureException: 403,
  UnrecognizedClientException: 403,
  // What they may do: the control plane and the signaling plane have each its own word.
  AccessDeniedException: 401,
  NotAuthorizedException: 401,
  // What they ask for.
  InvalidArgumentException: 400,
  ResourceNotFoundException: 404,
  ResourceInUseException: 400,
  VersionMismatchException: 400,
  AccountChannelLimitExceededException: 400,
  TagsPerResourceExceededLimitException: 400,
  ClientLimitExceededException: 400,
  UnknownOperationException: 404,
  SerializationException: 400,
  RequestEntityTooLargeException: 413,
  /** Not in the model, which has no word for it: the camera did not answer an Alexa offer within the message's life. */
  MasterNotAnsweringException: 400,
  InternalFailure: 500,
} as const

export type ServiceErrorType = keyof typeof statusOf

/** A refusal that the caller is told. `message` leaves the house: it must hold nothing secret. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly type: ServiceErrorType
  readonly status: number

  constructor(type: ServiceErrorType, message: string, options?: ErrorOptions) {
    super(message, options)
    this.type = type
    this.status = statusOf[type]
  }
}

/** The cause of our own mistakes, for the log. Other causes quote what the caller sent, which may be an SDP. */
export function causeOf(error: ServiceError): { readonly cause?: unknown } {
  return error.type === 'InternalFailure' ? { cause: error.cause } : {}
}

/** Any thrown value as a `ServiceError`; what is not one already is our own mistake, and its text stays in the log. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  return new ServiceError('InternalFailure', 'The request could not be processed because of an internal failure.', {
    cause: thrown,
  })
}
