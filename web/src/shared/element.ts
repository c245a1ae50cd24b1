/** The Element Plus components the page uses, each imported alone, so that a route carries only what it shows. */
import { ElButton } from "element-plus/es/components/button/index.mjs";
import { ElDialog } from "element-plus/es/components/dialog/index.mjs";
import { ElDrawer } from "element-plus/es/components/drawer/index.mjs";
import { ElInput } from "element-plus/es/components/input/index.mjs";
import { ElInputNumber } from "element-plus/es/components/input-number/index.mjs";
import { ElMessage } from "element-plus/es/components/message/index.mjs";
import { ElOption, ElSelect } from "element-plus/es/components/select/index.mjs";
import "element-plus/es/components/button/style/css";
import "element-plus/es/components/dialog/style/css";
import "element-plus/es/components/drawer/style/css";
import "element-plus/es/components/input/style/css";
import "element-plus/es/components/input-number/style/css";
import "element-plus/es/components/message/style/css";
import "element-plus/es/components/select/style/css";
import "element-plus/es/components/option/style/css";

export { ElButton, ElDialog, ElDrawer, ElInput, ElInputNumber, ElMessage, ElOption, ElSelect };
