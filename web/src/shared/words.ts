/** The Chinese words of the trade. Three scales stay apart: source level, warning colour, alarm priority. */
import type { AlarmState, Colour, LimitLevel, LinkState, PointState, Role } from "./types";

export interface ColourWords {
  symbol: string;
  word: string;
  grade: string;
  fill: string;
  rank: number;
}

/** Warning colours: worst has the highest rank. These fills are used for nothing else on the page. */
export const COLOURS: Record<Colour, ColourWords> = {
  red: { symbol: "◆", word: "红", grade: "重大", fill: "#d7191c", rank: 4 },
  orange: { symbol: "▲", word: "橙", grade: "较大", fill: "#f57c00", rank: 3 },
  yellow: { symbol: "■", word: "黄", grade: "一般", fill: "#f6d000", rank: 2 },
  blue: { symbol: "●", word: "蓝", grade: "低", fill: "#1e73d2", rank: 1 },
  none: { symbol: "○", word: "无", grade: "正常", fill: "#ffffff", rank: 0 },
};
export const COLOUR_ORDER: Colour[] = ["red", "orange", "yellow", "blue", "none"];

export const SOURCE_LEVELS: Record<number, string> = { 1: "一级", 2: "二级", 3: "三级", 4: "四级" };

export const PRIORITIES: Record<number, string> = { 1: "紧急", 2: "重要", 3: "质量" };

export const LIMITS: Record<LimitLevel, string> = { LL: "低低", L: "低", normal: "正常", H: "高", HH: "高高" };

export const ALARM_STATES: Record<AlarmState, string> = {
  unacknowledged: "未确认",
  acknowledged: "已确认",
  returned_unacknowledged: "已恢复未确认",
  latched_unacknowledged: "锁存未确认",
  latched_acknowledged: "锁存待复位",
  shelved: "已搁置",
  suppressed: "已抑制",
  out_of_service: "已停用",
  normal: "已结束",
};

export const ALARM_KINDS: Record<string, string> = { process: "工艺", quality: "数据质量" };

export const POINT_STATES: Record<PointState, string> = { good: "正常", bad: "质量差", stale: "过期", never: "无数据" };

export const LINK_STATES: Record<LinkState, string> = { online: "在线", stale: "连着无数据", offline: "离线", never: "从未连接" };

export const QUALITIES: Record<number, string> = {
  0: "正常",
  1: "超量程上限",
  2: "超量程下限",
  3: "非数值",
  4: "数据冻结",
  5: "数据跳变",
  6: "时间异常",
  7: "数据源断开",
  8: "报备停用",
};

export const QUANTITIES: Record<string, string> = {
  WD: "温度",
  YL: "压力",
  YW: "液位",
  QT: "气体浓度",
  LL: "流量",
  ZF: "组分",
  FW: "阀位",
  KG: "开关状态",
  DL: "电流",
  GL: "功率",
  ZS: "转速",
  SD: "湿度",
  FS: "风速",
  FX: "风向",
  QY: "大气压",
  CL: "储量",
};

export const REFUSALS: Record<string, string> = {
  not_a_number: "不是数值",
  unknown_point: "指标未建档",
  unknown_gateway: "网关未登记",
  bad_signature: "签名错误",
  bad_key: "密钥错误",
  bad_time: "时间不可信",
  too_large: "报文过大",
  truncated: "报文不完整",
  malformed: "格式错误",
  wrong_type: "类型不符",
};

export const ROLES: Record<Role, { word: string; meaning: string }> = {
  viewer: { word: "查看", meaning: "查看全部页面" },
  operator: { word: "值守", meaning: "查看,确认报警" },
  engineer: { word: "工程师", meaning: "查看,确认报警,导入档案,提出与审核限值,试算,播放场景" },
  admin: { word: "管理员", meaning: "以上全部,并管理账号" },
};
const ROLE_ORDER: Role[] = ["viewer", "operator", "engineer", "admin"];
export function holds(role: Role, needed: Role): boolean {
  return ROLE_ORDER.indexOf(role) >= ROLE_ORDER.indexOf(needed);
}

export const NODE_KINDS: Record<string, string> = {
  nation: "全国",
  province: "省",
  city: "市",
  county: "县区",
  park: "园区",
  enterprise: "企业",
};

export const PROTOCOLS: Record<string, string> = {
  opcua: "OPC UA",
  modbus: "Modbus TCP",
  sparkplug: "MQTT Sparkplug B",
  gateway_https: "国标网关 HTTPS",
  gateway_tcp: "国标网关 TCP",
  https: "国标网关 HTTPS",
  tcp: "国标网关 TCP",
  national: "国标网关",
  "sparkplug-external": "MQTT Sparkplug B(外部)",
  frames: "裸帧(TCP)",
  recorded: "录波文件",
};

const EVENTS: Record<string, string> = {
  raise: "报警产生",
  escalate: "升级",
  return: "恢复正常",
  acknowledge: "确认",
  close: "结束",
  reset: "复位",
  realarm: "再次提醒",
  silence: "消音",
  shelve: "搁置",
  unshelve: "解除搁置",
  suppress: "设计抑制",
  unsuppress: "解除抑制",
  remove: "停用",
  restore: "恢复使用",
  ease: "缓和",
  revoke: "撤销(迟到数据表明没有越限)",
};
/** Words of an alarm event; an unknown word is shown as it came. */
export function eventWord(what: string): string {
  return EVENTS[what] ?? what;
}

const ACTIONS: Record<string, string> = {
  "session.open": "登录",
  "session.close": "退出",
  "session.refused": "登录被拒",
  "session.password": "修改密码",
  "token.create": "新建令牌",
  "token.revoke": "吊销令牌",
  "account.change": "修改账号",
  "alarm.acknowledge": "确认报警",
  "alarm.reset": "复位报警",
  "alarm.silence": "消音",
  "alarm.shelve": "搁置报警",
  "alarm.unshelve": "解除搁置",
  "alarm.request_out_of_service": "申请停用报警",
  "alarm.decide_out_of_service": "审批停用报警",
  "alarm.restore": "报警恢复使用",
  "alarm.rule": "修改抑制规则",
  "alarm.guidance": "修改处置指导",
  "alarm.policy": "修改报警设置",
  "alarm.handover": "交班",
  "alarm.handover.accept": "接班",
  "alarm.export": "导出报警",
  "registry.import": "导入档案",
  "registry.export": "导出档案",
  "account.create": "新建账号",
  "account.update": "修改账号",
  "account.password": "修改密码",
  "scenario.start": "启动场景",
  "scenario.stop": "停止场景",
  "limits.propose": "提出限值变更",
  "limits.approve": "批准限值变更",
  "limits.reject": "驳回限值变更",
  "limits.withdraw": "撤回限值变更",
  "limits.evidence": "附试算依据",
  "whatif.start": "开始试算",
  "whatif.remove": "移除试算",
  "source.identify": "辨识重大危险源",
  "risk.declare": "申报风险相关记录",
  "risk.withdraw": "撤回申报",
  "risk.draft": "起草模型参数",
  "risk.backtest": "回测模型参数",
  "risk.shadow": "并行试跑模型参数",
  "risk.decide": "审批模型参数",
  "slip.attachment": "上传报告单附件",
  "slip.rules": "修改报告单时限",
  "warning.rules": "修改预警规则",
  "warning.export": "导出预警",
  "true_event.mark": "标记真实事件",
  "true_event.remove": "撤销真实事件标记",
};
export function actionWord(action: string): string {
  return ACTIONS[action] ?? action;
}
