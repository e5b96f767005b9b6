/** What cameras' event topics mean: one row for each, by local names, with where it is from. Data, not code. */
export type Meaning = 'press' | 'motion' | 'person' | 'input'

/** Where rows are from. Those of other projects were reported to them by owners of such cameras. */
export const sources = {
  analytics: 'ONVIF Analytics Service Specification: the rules CellMotion, MotionRegion, Line and Field Detector',
  imaging: 'ONVIF Imaging Service Specification: Motion Alarm',
  deviceIo: 'ONVIF Device IO Service Specification: digital input state change',
  reolink: 'Reolink, seen in the ONVIF integration of Home Assistant (onvif/parsers.py)',
  tapo: 'TP-Link Tapo and VIGI, seen in the ONVIF integration of Home Assistant (onvif/parsers.py)',
  vigi: 'TP-Link VIGI, seen in what its owners recorded: it declares this item only',
  lineCross: 'TP-Link Tapo, seen in openHAB (ipcamera, OnvifConnection.java) and in what its owners recorded',
  homeAssistant: 'seen in the ONVIF integration of Home Assistant (onvif/parsers.py)',
  openHab: 'seen in openHAB (ipcamera, OnvifConnection.java); it does not say of which camera',
  hanwha: 'Hanwha, seen in an issue of Home Assistant (core 66493)',
  axisIo: 'Axis VAPIX, event declarations: input ports and virtual inputs',
  axisMotion: 'Axis VAPIX, event declarations: Video Motion Detection 3 and 4',
  axisObjects: 'Axis VAPIX, AXIS Object Analytics: scenarios',
} as const

export interface Topic {
  /** Its path without prefixes. `*` stands for one segment. */
  readonly path: string
  /** The data item that says whether it is so; without one, or without that item in the message, it happened at this moment. */
  readonly item?: string
  readonly means: Meaning
  readonly source: keyof typeof sources
}

export const topics: readonly Topic[] = [
  // A button.
  { path: 'RuleEngine/MyRuleDetector/Visitor', item: 'State', means: 'press', source: 'reolink' },
  // A contact, which may be one.
  { path: 'Device/Trigger/DigitalInput', item: 'LogicalState', means: 'input', source: 'deviceIo' },
  { path: 'Device/Trigger/AlarmIn', item: 'State', means: 'input', source: 'homeAssistant' },
  { path: 'Device/IO/Port', item: 'state', means: 'input', source: 'axisIo' },
  { path: 'Device/IO/VirtualInput', item: 'active', means: 'input', source: 'axisIo' },
  { path: 'Device/IO/VirtualPort', item: 'state', means: 'input', source: 'axisIo' },
  // Persons.
  { path: 'RuleEngine/MyRuleDetector/PeopleDetect', item: 'State', means: 'person', source: 'reolink' },
  { path: 'RuleEngine/MyRuleDetector/FaceDetect', item: 'State', means: 'person', source: 'reolink' },
  { path: 'RuleEngine/PeopleDetector/People', item: 'IsPeople', means: 'person', source: 'tapo' },
  { path: 'RuleEngine/CellMotionDetector/People', item: 'IsPeople', means: 'person', source: 'tapo' },
  { path: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', item: 'IsPeople', means: 'person', source: 'tapo' },
  { path: 'UserAlarm/IVA/HumanShapeDetect', item: 'State', means: 'person', source: 'homeAssistant' },
  { path: 'RuleEngine/SmartMotionHumanDetection/HumanDetection', item: 'State', means: 'person', source: 'openHab' },
  { path: 'RuleEngine/HumanDetection/HumanDetected', item: 'State', means: 'person', source: 'openHab' },
  { path: 'RuleEngine/FaceDetector/FaceDetected', item: 'State', means: 'person', source: 'openHab' },
  { path: 'VideoAnalytics/PersonDetection/Person', item: 'State', means: 'person', source: 'openHab' },
  // Something moves.
  { path: 'RuleEngine/CellMotionDetector/Motion', item: 'IsMotion', means: 'motion', source: 'analytics' },
  { path: 'RuleEngine/MotionRegionDetector/Motion', item: 'State', means: 'motion', source: 'analytics' },
  { path: 'VideoSource/MotionAlarm', item: 'State', means: 'motion', source: 'imaging' },
  { path: 'VideoAnalytics/Motion', item: 'State', means: 'motion', source: 'openHab' },
  { path: 'VideoAnalytics/MotionDetection', item: 'Motion', means: 'motion', source: 'hanwha' },
  { path: 'RuleEngine/MyRuleDetector/VehicleDetect', item: 'State', means: 'motion', source: 'reolink' },
  { path: 'RuleEngine/MyRuleDetector/DogCatDetect', item: 'State', means: 'motion', source: 'reolink' },
  { path: 'RuleEngine/MyRuleDetector/Package', item: 'State', means: 'motion', source: 'reolink' },
  { path: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', item: 'IsVehicle', means: 'motion', source: 'tapo' },
  { path: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', item: 'IsPet', means: 'motion', source: 'tapo' },
  { path: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', item: 'IsTPSmartEvent', means: 'motion', source: 'vigi' },
  { path: 'RuleEngine/CellMotionDetector/TpSmartEvent', item: 'IsVehicle', means: 'motion', source: 'tapo' },
  { path: 'RuleEngine/CellMotionDetector/TpSmartEvent', item: 'IsPet', means: 'motion', source: 'tapo' },
  { path: 'RuleEngine/CellMotionDetector/TpSmartEvent', item: 'IsPeople', means: 'person', source: 'tapo' },
  { path: 'RuleEngine/VMD3/*', item: 'active', means: 'motion', source: 'axisMotion' },
  { path: 'CameraApplicationPlatform/VMD/*', item: 'active', means: 'motion', source: 'axisMotion' },
  { path: 'CameraApplicationPlatform/ObjectAnalytics/*', item: 'active', means: 'motion', source: 'axisObjects' },
  // A line is crossed, a field entered: at that moment, or for as long as it lasts.
  { path: 'RuleEngine/LineDetector/Crossed', means: 'motion', source: 'analytics' },
  { path: 'RuleEngine/LineCrossDetector/LineCross', item: 'IsLineCross', means: 'motion', source: 'lineCross' },
  { path: 'RuleEngine/CellMotionDetector/LineCross', item: 'IsLineCross', means: 'motion', source: 'tapo' },
  { path: 'RuleEngine/CellMotionDetector/Intrusion', item: 'IsIntrusion', means: 'motion', source: 'tapo' },
  { path: 'RuleEngine/FieldDetector/ObjectsInside', item: 'IsInside', means: 'motion', source: 'analytics' },
  { path: 'RuleEngine/AreaDetection/AreaDetected', item: 'State', means: 'motion', source: 'openHab' },
]

/** `tns1:RuleEngine/CellMotionDetector/Motion` without its prefixes. */
export const pathOf = (topic: string): string =>
  topic
    .trim()
    .split('/')
    .map((segment) => segment.slice(segment.lastIndexOf(':') + 1))
    .join('/')

/** The rows for a topic as a camera names it. Some append the name of the rule: a longer path is known by its beginning. */
export function meaningsOf(topic: string): readonly Topic[] {
  const given = pathOf(topic).split('/')
  return topics.filter(({ path }) => {
    const segments = path.split('/')
    return (
      given.length >= segments.length && segments.every((segment, index) => segment === '*' || segment === given[index])
    )
  })
}
