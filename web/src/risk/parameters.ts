/** The names of the models' parameters on screen, in groups. */
import type { Parameters } from "./types";

const WORDS: Record<string, string> = {
  base: "固有项下限", base_span: "固有项跨度", base_r_full: "R 满分值", first_set_point: "高/低报警 x", second_set_point: "高高/低低 x", interlock_trip: "联锁动作 x",
  toxic_factor: "有毒系数", combustible_factor: "可燃系数", half_life_min: "持续增长半衰期 min", growth: "持续增长份额", two_detectors: "两台检测仪 x", confirm_s: "单点确认 s",
  time_horizon_min: "到限时间窗 τ0 min", red: "红", orange: "橙", yellow: "黄", blue: "蓝", fall_margin: "降级裕度", fall_after_min: "降级延时 min",
  floor_two_detectors_min: "两台高高间隔 min", floor_unacknowledged_min: "高高未确认 min", floor_cut_off_s: "切断确认时限 s", floor_hot_work_lel: "特级动火 %LEL",
  hold_min: "缺失保持 min", drift_half_life_min: "缺失漂移半衰期 min", unknown_below: "未知界限", q_repeat_full: "重复报警满分", q_count_full: "平均次数满分",
  q_clear_full_min: "平均消警满分 min", q_longest_full_min: "最长报警满分 min", commitment_missing: "未承诺 x", commitment_unsafe: "承诺不安全 x", trial_production: "试生产 x",
  start_stop: "开停车 x", danger_general: "一般隐患 x", danger_major: "重大隐患 x", tasks_missed: "排查未完成 x", interlock_removed: "摘除联锁 x", weather_step: "气象预警每级 x",
  wind_ms: "大风 m/s", wind_x: "大风 x", lightning_x: "雷电 x", heat_c: "高温 ℃", heat_x: "高温 x", towards_people_x: "风向人群 x", neighbour_orange: "邻近橙 x", neighbour_red: "邻近红 x",
  multivariate_full: "多变量满分倍数", overstock_full: "超储满分倍数", enterprise_step: "企业叠加步长", park_worst: "园区最高权重", park_top: "园区前五权重", park_domino: "园区连锁权重", ring_m: "连锁半径 m",
};
const WORKS: Record<string, string> = {
  hot_special: "特级动火", hot_first: "一级动火", hot_second: "二级动火", confined_space: "受限空间", blinding: "盲板抽堵", height_high: "高处 Ⅲ、Ⅳ", height_low: "高处 Ⅰ、Ⅱ",
  lifting_first: "一级吊装", lifting_other: "二、三级吊装", temp_power: "临时用电", excavation: "动土", road_closure: "断路",
};

export function parameterWord(name: string, terms: Record<string, string>): string {
  const [table, key] = name.split(".");
  if (!key) return WORDS[name] ?? name;
  if (table === "weights") return `${key} ${terms[key] ?? ""} 权重`;
  if (table === "priors") return `${key} ${terms[key] ?? ""} 缺失估计`;
  return WORKS[key] ?? key;
}

const SINGLE: [string, string[]][] = [
  ["颜色与升降", ["red", "orange", "yellow", "blue", "fall_margin", "fall_after_min"]],
  ["固有危险性", ["base", "base_span", "base_r_full"]],
  ["报警与到限", ["first_set_point", "second_set_point", "interlock_trip", "toxic_factor", "combustible_factor", "half_life_min", "growth", "two_detectors", "confirm_s", "time_horizon_min"]],
  ["直接判定", ["floor_two_detectors_min", "floor_unacknowledged_min", "floor_cut_off_s", "floor_hot_work_lel"]],
  ["缺失数据", ["hold_min", "drift_half_life_min", "unknown_below"]],
  ["报警质量", ["q_repeat_full", "q_count_full", "q_clear_full_min", "q_longest_full_min"]],
  ["作业与管理", ["commitment_missing", "commitment_unsafe", "trial_production", "start_stop", "danger_general", "danger_major", "tasks_missed", "interlock_removed"]],
  ["环境与连锁", ["weather_step", "wind_ms", "wind_x", "lightning_x", "heat_c", "heat_x", "towards_people_x", "neighbour_orange", "neighbour_red", "ring_m"]],
  ["装置与仓库", ["multivariate_full", "overstock_full"]],
  ["汇总", ["enterprise_step", "park_worst", "park_top", "park_domino"]],
];

/** All parameters of a configuration, in groups. */
export function PARAMETER_GROUPS(parameters: Parameters): { title: string; names: string[] }[] {
  const tables: [string, string][] = [["weights", "权重 w"], ["works", "特殊作业 x"], ["priors", "缺失时的估计 x"]];
  const named = SINGLE.map(([title, names]) => ({ title, names: names.filter((name) => name in parameters) }));
  return [
    ...tables.slice(0, 1).map(([table, title]) => ({ title, names: Object.keys(parameters[table] ?? {}).map((key) => `${table}.${key}`) })),
    ...named,
    ...tables.slice(1).map(([table, title]) => ({ title, names: Object.keys(parameters[table] ?? {}).map((key) => `${table}.${key}`) })),
  ];
}
