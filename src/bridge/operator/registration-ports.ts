/** What the operator's API and the page ask of whoever registers cameras together with their channels and keys. */
import type { AccountId } from 'transom-core/ports'
import type {
  CameraLogin,
  CameraSource,
  FoundCameras,
  PlayedTone,
  Restreams,
  SeenCertificate,
  SourceAddress,
  SourceChange,
  SourceProbe,
  TriedSource,
} from 'transom-core/wire/source'
import type {
  CameraAccess,
  CameraWebhooks,
  ListedViewerKey,
  NewCamera,
  Registration,
  ViewerKey,
} from 'transom-core/wire/registration'
import type { CameraRecords } from './camera-records.ts'

/** `remove` takes the channel, everybody connected to it, and its keys along; never the built-in doorbell, which would be back. */
export interface Registrations extends CameraRecords {
  add(camera: NewCamera, owner: AccountId, channelName?: string): Promise<Registration>
  /**
   * A further access key; with `replace` the only one, and a new camera key too. A network camera has a camera key only.
   * Throws `camera_not_found`.
   */
  issueKey(id: string, replace?: boolean): Promise<Registration | CameraAccess>
}

/** Where a network camera is read. */
export interface NetworkSource {
  /** `rtsp://user:password@host/path`. */
  readonly source: string
  /** Instead of the user and the password in the address. */
  readonly login?: CameraLogin | undefined
  /** Its ONVIF device, asked as the same user. Null: none from now on; absent: as before, if the host is the same. */
  readonly onvif?: string | null | undefined
  /** Which gateway reads it. Absent: as before, or the one with the bridge. */
  readonly gateway?: string | undefined
}

/** Network cameras: the bridge reads them itself and needs no keys for them; each has a camera key, for its button. */
export interface NetworkCameras {
  /** Throws `BridgeError` `invalid_request` also when the source is no address, and for a gateway that is not known. */
  add(camera: NewCamera, owner: AccountId, source: NetworkSource, channelName?: string): Promise<CameraAccess>
  /**
   * Reads the camera at another address from now on, or by another gateway. Throws `camera_not_found`, or `invalid_request`
   * for any other camera.
   */
  change(id: string, source: NetworkSource): Promise<void>
  /** Trusts the certificate that the camera shows next, instead of the first one. Throws `camera_not_found`. */
  forgetCertificates(id: string): Promise<void>
  /** Trusts this certificate instead of the first one. Throws `camera_not_found`. */
  trustCertificate(id: string, seen: SeenCertificate): Promise<void>
  /**
   * Changes what is given of address, user and password, and keeps the rest; user and password only where the camera stays at
   * its host. Throws `camera_not_found` or `invalid_request`.
   */
  edit(id: string, change: SourceChange): Promise<void>
  /** What may be shown of where it is read; `undefined` for a camera that connects by itself. */
  sourceOf(id: string): Promise<CameraSource | undefined>

  /** ONVIF cameras on the networks of the gateway. As the others below it throws `source_gateway` where there is none. */
  discover(signal: AbortSignal): Promise<FoundCameras>
  /** What go2rtc or Frigate gives on. Throws `BridgeError` with the cause. */
  restreams(given: SourceAddress, signal: AbortSignal): Promise<Restreams>
  /** Probes a camera that need not be known. Throws `BridgeError` with the cause. */
  probe(given: SourceAddress, signal: AbortSignal): Promise<SourceProbe>
  /** Probes one that is known: by its address, user and password. */
  tryOut(id: string, signal: AbortSignal): Promise<TriedSource>
  /** Plays a tone at its loudspeaker. Throws `BridgeError` with the cause. */
  playTone(id: string, signal: AbortSignal): Promise<PlayedTone>
}

/** Addresses for buttons that can only call a URL. Both throw `camera_not_found`. */
export interface WebhookAddresses {
  of(cameraId: string): Promise<CameraWebhooks>
  /** Others instead, after which those of before do nothing. */
  roll(cameraId: string): Promise<CameraWebhooks>
}

/** Keys for viewers that are none of the bridge's: vendors' apps, pages and scripts with AWS's SDKs. */
export interface ViewerKeys {
  /**
   * Makes a key that connects to these cameras' channels as a viewer and does nothing else. Its secret is shown only here.
   * Throws `camera_not_found`.
   */
  add(cameraIds: readonly string[], name?: string): Promise<ViewerKey>
  list(): Promise<readonly ListedViewerKey[]>
  /** Makes an access key useless, a viewer's or a camera's, and ends its connections. Throws `camera_not_found`. */
  remove(accessKeyId: string): Promise<void>
}
