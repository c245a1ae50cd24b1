/** What the pages of messages share: shapes of the API, words, and everything they load together. */
import { ref, shallowRef } from "vue";
import { ApiError, http } from "@/shared/http";
import type { TreeNode } from "@/shared/types";

export type Days = "all" | "working" | "off";
export interface Hours {
  days: Days;
  start: string;
  end: string;
}
export interface Channel {
  id: string;
  name: string;
  kind: string;
  enabled: boolean;
  by: string;
  at: string;
}
export interface Shift extends Hours {
  channel: string;
}
export interface Duty {
  id: string;
  name: string;
  enabled: boolean;
  shifts: Shift[];
}
export interface Route extends Hours {
  id: string;
  name: string;
  enabled: boolean;
  node: string;
  priority: number;
  channels: string[];
  duties: string[];
  escalate_after_s: number;
  escalate_channels: string[];
  escalate_duties: string[];
}
export interface SpecialDay {
  day: string;
  working: boolean;
  name: string;
}
export interface Sent {
  id: number;
  channel_name: string;
  title: string;
  text: string;
  alarms: number;
  state: "queued" | "sent" | "failed";
  attempts: number;
  at: string;
  sent_at: string | null;
  due: string;
  outcome: string;
}

export const KINDS: Record<string, string> = { mail: "邮件", wecom: "企业微信", dingtalk: "钉钉", feishu: "飞书", sms: "短信", webhook: "Webhook" };
export const DAYS: Record<Days, string> = { all: "每天", working: "工作日", off: "休息日" };
export const STATES: Record<Sent["state"], string> = { queued: "等待重发", sent: "已送达服务", failed: "已放弃" };
export const PRIORITIES: Record<number, string> = { 1: "仅 P1", 2: "P1、P2", 3: "P1 至 P3", 4: "全部报警" };
export const TIME = /^([01]\d|2[0-4]):[0-5]\d$/;

export function hours(of: Hours): string {
  const whole = of.start === "00:00" && of.end === "24:00";
  return whole ? DAYS[of.days] : `${DAYS[of.days]} ${of.start}–${of.end}${of.start > of.end ? "(次日)" : ""}`;
}

/** Everything but the log, in one load. */
export function useNotices() {
  const channels = shallowRef<Channel[]>([]);
  const routes = shallowRef<Route[]>([]);
  const duties = shallowRef<Duty[]>([]);
  const days = shallowRef<SpecialDay[]>([]);
  const nodes = shallowRef<TreeNode[]>([]);
  const loaded = ref(false);
  const error = shallowRef<ApiError | null>(null);
  async function load(engineer: boolean): Promise<void> {
    try {
      days.value = await http.get<SpecialDay[]>("notices/calendar");
      if (engineer) {
        const got = await http.get<TreeNode[] | { items: TreeNode[] }>("nodes");
        nodes.value = Array.isArray(got) ? got : got.items;
        channels.value = await http.get<Channel[]>("notices/channels");
        routes.value = await http.get<Route[]>("notices/routes");
        duties.value = await http.get<Duty[]>("notices/duties");
      }
      error.value = null;
      loaded.value = true;
    } catch (problem) {
      error.value = problem instanceof ApiError ? problem : new ApiError(0, "page", String(problem));
    }
  }
  const channel = (id: string) => channels.value.find((one) => one.id === id)?.name ?? "(已删除)";
  const duty = (id: string) => duties.value.find((one) => one.id === id)?.name ?? "(已删除)";
  const node = (code: string) => nodes.value.find((one) => one.code === code)?.name ?? code;
  return { channels, routes, duties, days, nodes, loaded, error, load, channel, duty, node };
}
