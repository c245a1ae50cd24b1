/** Routes: every page is a chunk of its own, so that charts and the map load only where they are used. */
import { createRouter, createWebHistory } from "vue-router";
import { useSession } from "@/identity/session";
import type { Role } from "@/shared/types";

declare module "vue-router" {
  interface RouteMeta {
    title?: string;
    role?: Role;
    public?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", redirect: "/map" },
    { path: "/sign-in", component: () => import("@/identity/SignIn.vue"), meta: { title: "登录", public: true } },
    {
      path: "/",
      component: () => import("@/Shell.vue"),
      children: [
        { path: "map", component: () => import("@/map/MapPage.vue"), meta: { title: "一张图" } },
        { path: "overview", component: () => import("@/overview/OverviewPage.vue"), meta: { title: "态势" } },
        { path: "alarms", component: () => import("@/alarms/AlarmPage.vue"), meta: { title: "报警" } },
        { path: "alarms/aside", component: () => import("@/alarms/AsidePage.vue"), meta: { title: "搁置与停用" } },
        { path: "alarms/rules", component: () => import("@/alarms/RulesPage.vue"), meta: { title: "设计抑制" } },
        { path: "alarms/guidance", component: () => import("@/alarms/GuidancePage.vue"), meta: { title: "处置指导" } },
        { path: "alarms/replay", component: () => import("@/alarms/ReplayPage.vue"), meta: { title: "报警回放" } },
        { path: "alarms/handovers", component: () => import("@/alarms/HandoverPage.vue"), meta: { title: "交接班" } },
        { path: "alarms/handovers/:id", component: () => import("@/alarms/HandoverSheet.vue"), meta: { title: "交接班单" } },
        { path: "alarms/exports", component: () => import("@/alarms/ExportPage.vue"), meta: { title: "导出与核对" } },
        { path: "warnings/rules", component: () => import("@/warnings/RulesPage.vue"), meta: { title: "预警接收规则" } },
        { path: "warnings/clocks", component: () => import("@/slips/ClocksPage.vue"), meta: { title: "处置时限规则" } },
        { path: "warnings/:id?", component: () => import("@/warnings/WarningPage.vue"), meta: { title: "预警" } },
        { path: "sources", component: () => import("@/registry/SourceListPage.vue"), meta: { title: "重大危险源" } },
        { path: "sources/:code", component: () => import("@/registry/SourcePage.vue"), meta: { title: "重大危险源" } },
        { path: "slips", component: () => import("@/slips/SlipsPage.vue"), meta: { title: "处置报告单" } },
        { path: "slips/verify", component: () => import("@/slips/VerifyPage.vue"), meta: { title: "核验", role: "engineer" } },
        { path: "duty", component: () => import("@/slips/DutyPage.vue"), meta: { title: "待办" } },
        { path: "slips/:id", component: () => import("@/slips/SlipPage.vue"), meta: { title: "处置报告单" } },
        { path: "risk", redirect: "/risk/places" },
        { path: "risk/places/:code?", component: () => import("@/risk/PlacesPage.vue"), meta: { title: "风险分布" } },
        { path: "risk/declared", component: () => import("@/risk/DeclaredPage.vue"), meta: { title: "申报记录" } },
        { path: "risk/configurations", component: () => import("@/risk/ConfigurationsPage.vue"), meta: { title: "模型参数" } },
        { path: "risk/units", component: () => import("@/risk/UnitModelsPage.vue"), meta: { title: "装置模型" } },
        {
          path: "govern",
          redirect: "/govern/kpi",
          children: [
            { path: "kpi", component: () => import("@/kpi/KpiPage.vue"), meta: { title: "报警指标" } },
            { path: "kpi/:code", component: () => import("@/kpi/RoomPage.vue"), meta: { title: "报警指标" } },
            { path: "whatif", component: () => import("@/whatif/WhatIfPage.vue"), meta: { title: "试算" } },
            { path: "whatif/:id", component: () => import("@/whatif/ResultPage.vue"), meta: { title: "试算" } },
            { path: "limits", component: () => import("@/limits/LimitsPage.vue"), meta: { title: "限值" } },
            { path: "setpoints", component: () => import("@/limits/SetPointsPage.vue"), meta: { title: "气体设定值" } },
            { path: "monitoring", component: () => import("@/registry/MonitoringPage.vue"), meta: { title: "监测完整性" } },
          ],
        },
        { path: "sources/:code/identify", component: () => import("@/gb18218/IdentifyPage.vue"), meta: { title: "辨识与分级" } },
        { path: "identify", component: () => import("@/gb18218/IdentifyPage.vue"), meta: { title: "辨识与分级" } },
        { path: "chemicals", component: () => import("@/chemicals/ChemicalsPage.vue"), meta: { title: "化学品" } },
        { path: "links", component: () => import("@/access/LinksPage.vue"), meta: { title: "接入" } },
        { path: "files", component: () => import("@/files/ListsPage.vue"), meta: { title: "档案" } },
        { path: "files/:code", component: () => import("@/files/FilePage.vue"), meta: { title: "档案" } },
        { path: "import", component: () => import("@/registry/ImportPage.vue"), meta: { title: "档案导入" } },
        { path: "scenarios", component: () => import("@/simulator/ScenarioPage.vue"), meta: { title: "场景" } },
        { path: "notices", component: () => import("@/notify/NoticesPage.vue"), meta: { title: "通知" } },
        { path: "accounts", component: () => import("@/identity/AccountsPage.vue"), meta: { title: "账号" } },
        { path: ":rest(.*)*", component: () => import("@/shared/NotFound.vue"), meta: { title: "没有这个页面" } },
      ],
    },
  ],
});

router.beforeEach(async (to) => {
  const session = useSession();
  if (!session.asked) await session.load().catch(() => undefined);
  if (!to.meta.public && !session.account) {
    return { path: "/sign-in", query: to.fullPath === "/" || to.fullPath === "/map" ? {} : { to: to.fullPath } };
  }
  if (to.path === "/sign-in" && session.account) return "/map";
  return true;
});

router.afterEach((to) => {
  if (to.meta.public) document.title = `${to.meta.title ?? ""} · 危化品安全生产风险监测预警系统`;
});

// A new version of the page has other chunk names: load the page anew instead of failing on an old one.
router.onError((error: Error, to) => {
  if (/dynamically imported module|Importing a module script failed/.test(error.message)) window.location.assign(to.fullPath);
});
