/** What cameras' event topics mean: one row for each, by local names, as the brands named beside them send it. Data, not code. */
export type Meaning = 'press' | 'motion' | 'person' | 'input'

export interface Topic {
  /** Its path without prefixes. `*` stands for one segment. */
  readonly path: string
  /** The data item that says whether it is so; without one, or without that item in the message, it happened at this moment. */
  readonly item?: string
  readonly means: Meaning
}

export const topics: readonly Topic[] = [
  // A button. Reolink; Amcrest, Dahua and Hikvision stations of newer firmware; Axis intercoms.
  { path: 'RuleEngine/MyRuleDetector/Visitor', item: 'State', means: 'press' },
  { path: 'Device/Trigger/DoorBell', item: 'State', means: 'press' },
  { path: 'Device/Trigger/Doorbell', item: 'State', means: 'press' },
  { path: 'VideoAnalytics/DoorBell', item: 'State', means: 'press' },
  { path: 'CallEvent/Calling', item: 'State', means: 'press' },
  // A contact: ONVIF Device IO (Doorbird, Hikvision, Dahua); Axis' own.
  { path: 'Device/Trigger/DigitalInput', item: 'LogicalState', means: 'input' },
  { path: 'Device/IO/Port', item: 'state', means: 'input' },
  { path: 'Device/IO/VirtualInput', item: 'active', means: 'input' },
  { path: 'Device/IO/VirtualPort', item: 'state', means: 'input' },
  // Persons. Reolink; Tapo; Dahua and Amcrest; Hikvision; UniFi.
  { path: 'RuleEngine/MyRuleDetector/PeopleDetect', item: 'State', means: 'person' },
  { path: 'RuleEngine/MyRuleDetector/FaceDetect', item: 'State', means: 'person' },
  { path: 'RuleEngine/PeopleDetector/People', item: 'IsPeople', means: 'person' },
  { path: 'RuleEngine/CellMotionDetector/People', item: 'IsPeople', means: 'person' },
  { path: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', item: 'IsPeople', means: 'person' },
  { path: 'RuleEngine/SmartMotionHumanDetection/HumanDetection', item: 'State', means: 'person' },
  { path: 'RuleEngine/HumanDetection/HumanDetected', item: 'State', means: 'person' },
  { path: 'RuleEngine/FaceDetector/FaceDetected', item: 'State', means: 'person' },
  { path: 'RuleEngine/ObjectDetector/Person', item: 'State', means: 'person' },
  { path: 'RuleEngine/ObjectDetection/Person', item: 'State', means: 'person' },
  { path: 'VideoAnalytics/PersonDetection/Person', item: 'State', means: 'person' },
  { path: 'UserAlarm/IVA/HumanShapeDetect', item: 'State', means: 'person' },
  // Something moves: ONVIF Analytics and Imaging, which nearly all send in one of these forms.
  { path: 'RuleEngine/CellMotionDetector/Motion', item: 'IsMotion', means: 'motion' },
  { path: 'RuleEngine/MotionRegionDetector/Motion', item: 'State', means: 'motion' },
  { path: 'VideoSource/MotionAlarm', item: 'State', means: 'motion' },
  { path: 'VideoAnalytics/Motion', item: 'State', means: 'motion' },
  { path: 'VideoAnalytics/MotionDetection', item: 'State', means: 'motion' },
  { path: 'RuleEngine/MyRuleDetector/VehicleDetect', item: 'State', means: 'motion' },
  { path: 'RuleEngine/MyRuleDetector/DogCatDetect', item: 'State', means: 'motion' },
  { path: 'RuleEngine/MyRuleDetector/Package', item: 'State', means: 'motion' },
  { path: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', item: 'IsVehicle', means: 'motion' },
  { path: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', item: 'IsPet', means: 'motion' },
  { path: 'RuleEngine/TPSmartEventDetector/TPSmartEvent', item: 'IsTPSmartEvent', means: 'motion' },
  { path: 'RuleEngine/CellMotionDetector/TpSmartEvent', item: 'IsTPSmartEvent', means: 'motion' },
  // Axis: video motion detection, object analytics.
  { path: 'RuleEngine/VMD3/*', item: 'active', means: 'motion' },
  { path: 'CameraApplicationPlatform/VMD/*', item: 'active', means: 'motion' },
  { path: 'CameraApplicationPlatform/ObjectAnalytics/*', item: 'active', means: 'motion' },
  // A line is crossed, a field entered: at that moment, or for as long as it lasts.
  { path: 'RuleEngine/LineDetector/Crossed', means: 'motion' },
  { path: 'RuleEngine/LineCrossDetector/LineCross', means: 'motion' },
  { path: 'RuleEngine/CellMotionDetector/LineCross', item: 'IsLineCross', means: 'motion' },
  { path: 'RuleEngine/CellMotionDetector/Intrusion', item: 'IsIntrusion', means: 'motion' },
  { path: 'RuleEngine/FieldDetector/ObjectsInside', item: 'IsInside', means: 'motion' },
  { path: 'RuleEngine/AreaDetection/AreaDetected', item: 'State', means: 'motion' },
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
