/** The function behind API Gateway, with the vendor's cameras. */
import { createHttpFunction } from 'transom-bridge/aws/http-function'
import { ports } from './ports.ts'

export const http = await createHttpFunction(process.env, ports)
