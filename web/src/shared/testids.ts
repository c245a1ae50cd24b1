/**
 * The stable `data-testid` values of the page. Browser tests rely on them; a name here is part of the interface.
 *
 * sign-in-username · sign-in-password · sign-in-submit · sign-in-error   sign-in form
 * nav-<map|alarms|sources|links|import|scenarios|accounts>              links of the top bar
 * unack-count            number of unacknowledged alarms; data-count
 * duty-button            「值班上岗」; data-state = off | on | blocked
 * silence-button         silences the tone that sounds
 * connection             age of what is shown; data-state = live | lost | connecting
 * connection-lost        the red bar, only while the connection is lost
 * sound-off              the red bar, only while sound is off and somebody should hear it
 * simulated              tag that says data are simulated
 * alarm-row              data-alarm-id, data-state, data-priority
 * ack-note · ack-button  note and button of the acknowledgement bar; ack-refused = list of refused ones
 * alarm-drawer           detail of one alarm; data-alarm-id
 * alarm-scroll           pane of the virtual list; alarm-foot = its foot, data-total; alarm-age = how sure the list is
 * flood-bar · group-toggle · flood-view (data-groups) · flood-group (data-source)   a flood, grouped by source
 * aside-reason · aside-confirm · aside-note            shelving or asking for out of service; why an alarm is set aside
 * hold-row               data-kind, data-status; hold-end inside
 * rule-row · rule-new · guidance · comment-text        suppression rules, guidance and comments of an alarm
 * replay                 data-moment, data-open; replay-play · replay-alarm (data-state)
 * handover-new · handover-write · handover-row · handover-sheet (data-intact) · handover-accept
 * export-<xlsx|csv|parquet> · export-sha · verify-file · verify-result (data-ok)
 * alarm-live             aria-live region that announces new alarms
 * map                    map canvas container; data-state = loading | idle | moving | failed, data-sources = number of sources
 * map-source-row         row of the list beside the map; data-code
 * map-popup              popup of the selected source; data-code
 * source-row             row of the list of sources; data-code, data-colour
 * tank                   tank graphic (svg); data-point = code of the level point, data-value, data-state
 * point-value            a value on a card; data-point, data-value, data-state
 * trend                  trend of a point; data-point, data-points = number of rows drawn, data-state
 * link-row               data-link, data-state
 * dead-letter-row        data-link, data-reason
 * import-file · import-check · import-confirm · import-result            registry import; result has data-ok, data-dry-run
 * scenario-row           data-scenario, data-state; scenario-start · scenario-stop inside
 * file-ring              completeness, data-percent; file-group (data-group, data-percent) · file-gap · file-row · file-change · file-waiting
 * group-edit · group-save · row-new · row-save · change-save · conflicts · conflict-mine   editing a file
 * file-day · file-now · file-history · file-waiting-tab · file-approve · file-document · document-new · document-send · file-book
 * book-ok · book-bad · book-done · book-confirm            workbook of one file
 * list (data-name, data-total) · list-row · list-<name>    lists of a province
 * account-row            data-username; new-password = generated password, shown once
 */
export const TID = {
  username: "sign-in-username",
  password: "sign-in-password",
  submit: "sign-in-submit",
  signInError: "sign-in-error",
  nav: (name: string) => `nav-${name}`,
  unack: "unack-count",
  duty: "duty-button",
  silence: "silence-button",
  connection: "connection",
  diskFull: "disk-full",
  connectionLost: "connection-lost",
  soundOff: "sound-off",
  simulated: "simulated",
  alarmRow: "alarm-row",
  ackNote: "ack-note",
  ackButton: "ack-button",
  ackRefused: "ack-refused",
  alarmDrawer: "alarm-drawer",
  alarmLive: "alarm-live",
  map: "map",
  mapSourceRow: "map-source-row",
  mapPopup: "map-popup",
  sourceRow: "source-row",
  tank: "tank",
  pointValue: "point-value",
  trend: "trend",
  linkRow: "link-row",
  pipeline: "pipeline",
  overviewGrid: "overview-grid",
  overviewTotals: "overview-totals",
  deadLetterRow: "dead-letter-row",
  importFile: "import-file",
  importCheck: "import-check",
  importConfirm: "import-confirm",
  importResult: "import-result",
  scenarioRow: "scenario-row",
  scenarioStart: "scenario-start",
  scenarioStop: "scenario-stop",
  accountRow: "account-row",
  newPassword: "new-password",
} as const;
