/* MathJax writes its rules where the text of the page does not have them: bring them there, drop the scripts. */
(() => {
  for (const style of document.querySelectorAll("style")) {
    if (style.id.startsWith("MJX")) {
      const rules = [...style.sheet.cssRules].map(rule => rule.cssText).join("\n");
      style.textContent = rules.replace(/url\("(?!data:)([^"]*)"\)/g, (_, url) => `url("${new URL(url, location)}")`);
    }
  }
  document.querySelectorAll("script, mjx-assistive-mml[hidden]").forEach(x => x.remove());
})()
