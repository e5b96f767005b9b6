/** The Lambda function behind API Gateway. */
import { createHttpFunction } from './http-function.ts'

/** An API Gateway HTTP API event (payload format 2.0) in, its response out. */
export const http = await createHttpFunction(process.env)
