/** The shift note, as docs/api.md words it. */
import type { Alarm, AlarmSummary, Hold } from "@/shared/types";

export interface HandoverNote {
  id: number;
  at: string;
  scope_code: string;
  shift: string;
  from_user: string;
  from_name: string;
  to_user: string;
  to_name: string;
  note: string;
  open_count: number;
  sha256: string;
  accepted_at: string | null;
  accepted_by: string | null;
  remark: string | null;
}

export interface HandoverDetail extends HandoverNote {
  frozen: { at: string; summary: AlarmSummary; alarms: Alarm[]; aside: Alarm[]; holds: Hold[] };
  intact: boolean;
}
