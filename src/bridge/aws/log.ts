/** The log of a Lambda function: its standard output, which CloudWatch keeps. */
import { createLog } from 'transom-core/log'

export const log = createLog((line) => process.stdout.write(line), Date.now)
