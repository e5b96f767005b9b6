/** What the bridge asks a vendor's own registry of cameras, by HTTP or as a Lambda function, and what that answers. */
import * as z from 'zod'
import { cameraIdShape, newCamera } from './registration.ts'

/** The question: whose cameras. */
export const registryQuestion = z.strictObject({ account: z.string() })
export type RegistryQuestion = z.infer<typeof registryQuestion>

/** A camera of the registry: the fields of `POST /operator/cameras`; what else the registry says of it is ignored. */
export const registryCamera = newCamera
  .extend({
    /** Its signaling channel; the id, if not given. */
    channelName: cameraIdShape.exactOptional(),
  })
  .strip()
export type RegistryCamera = z.infer<typeof registryCamera>

/** The answer: all cameras of the account; none where it is unknown. */
export const registryAnswer = z.object({ cameras: z.array(registryCamera).max(1_000) })
export type RegistryAnswer = z.infer<typeof registryAnswer>
