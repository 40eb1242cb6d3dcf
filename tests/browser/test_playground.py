"""The playground: Python's numbers within the error it states, in two seconds; bad input, sharing, no other hosts."""

import math
import time
from functools import cache

import numpy as np
import pytest
from book_tools import ROOT
from scipy.special import ndtri
from visits import visit

from abstract_symbols import KernelRidge, Template, TemplateTask, TransformerKernel, tasks, template_matrix
from abstract_symbols.kernels.separation import attention_gram, leading_gap
from abstract_symbols.kernels.template_matrix import smallest_eigenvalue

pytestmark = pytest.mark.browser

TASKS = ("same-different", "aba-abb", "aabb-abab", "program", "same-relation", "same-order")
PARAMETERS = {"beta": 2.0, "gamma": 1.0, "ridge": 0.01, "b1": 2.0, "b2": 0.3}
ERRORS = 5  # standard errors, of eight batches: a t distribution with 7 degrees of freedom exceeds 5 in one of 600
READY = "#playground[data-ready]"


@cache  # a kernel remembers its values, which take longer than any regression
def kernel(**changes):
    options = {name: value for name, value in PARAMETERS.items() if name != "ridge"} | changes
    return TransformerKernel(**options)


def rows(labels):
    return [{"template": z, "label": str(label)} for z, label in labels.items()]


@pytest.fixture(scope="module")
def engine(browser):
    """A page that has the engine alone."""
    page = browser.new_page()
    page.add_script_tag(path=ROOT / "book" / "playground" / "engine.js")
    page.evaluate("window.engine = playgroundEngine()")
    yield page
    page.close()


def compute(engine, labels, **changes):
    return engine.evaluate("([rows, parameters]) => engine.compute(engine.readTask(rows).task, parameters)",
                           [rows(labels), PARAMETERS | changes])


@pytest.fixture(scope="module")
def computed(engine):
    return {name: compute(engine, tasks.TASKS[name]) for name in TASKS}


def within(ours, errors, exact):
    """The largest deviation in standard errors."""
    return float(np.max(np.abs(np.asarray(ours) - np.ravel(exact)) / np.asarray(errors)))


# ---- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TASKS)
def test_matrix_and_eigenvalue_are_pythons(name, computed):
    ours, task = computed[name], tasks.task(name)
    kappa, v = attention_gram(task, kernel())
    assert within(ours["kappa"], ours["kappaErrors"], kappa) <= ERRORS
    assert within(ours["v"], ours["vErrors"], v) <= ERRORS
    assert within(ours["matrix"], ours["matrixErrors"], template_matrix(task, kernel())) <= ERRORS
    assert within([ours["smallest"]], [ours["smallestError"]], smallest_eigenvalue(task, kernel())[0]) <= ERRORS
    assert ours["smallest"] > 3 * ours["smallestError"], "too uncertain to be of use"
    assert max(ours["matrixErrors"]) < 0.01 * max(ours["matrix"])


@pytest.mark.parametrize("changes", [{"beta": 0.5}, {"beta": 5.0, "gamma": 0.5}, {"gamma": 3.0, "b1": 1.0, "b2": -1.0}])
def test_other_parameters(changes, engine):
    ours, task = compute(engine, tasks.TASKS["aba-abb"], **changes), tasks.task("aba-abb")
    assert within(ours["matrix"], ours["matrixErrors"], template_matrix(task, kernel(**changes))) <= ERRORS
    exact, _ = smallest_eigenvalue(task, kernel(**changes))
    assert within([ours["smallest"]], [ours["smallestError"]], exact) <= ERRORS


def ridge_error(task, n, seeds):
    """Mean squared error on unseen symbols, its mean over samples and the standard error of that."""
    train, unseen = task.alphabets(n, 100)
    strings = [[*z.substitute([chr(0x1F600 + a) for a in range(len(z.wildcards))])] for z in task.templates]
    shared = kernel()
    errors = []
    for seed in range(seeds):
        model = KernelRidge(shared, PARAMETERS["ridge"]).fit(task.sample(n, train, seed=seed))
        errors.append(np.mean((model.predict(strings) - task.values) ** 2))
    return np.mean(errors), np.std(errors, ddof=1) / math.sqrt(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_learning_curve_is_that_of_ridge_regression(name, computed):
    curve, task = computed[name]["curve"], tasks.task(name)
    near_half = min(curve["sizes"], key=lambda n: abs(math.log(n / curve["half"])))
    for n, seeds in ((256, 12), (near_half, 6)):
        at = curve["sizes"].index(n)
        exact, error = ridge_error(task, n, seeds)
        assert abs(curve["errors"][at] - exact) <= ERRORS * math.hypot(curve["standardErrors"][at], error), (n, exact)
    low, high = curve["interval"]
    assert low < curve["half"] < high < 4 * low


def test_n50_is_where_the_curve_crosses_one_half(engine):
    cases = [([4, 8, 16, 32], [1.0, 0.6, 0.4, 0.1], 8 * math.sqrt(2)), ([4, 8], [0.4, 0.3], 4), ([4, 8], [1, 0.5], 8)]
    for sizes, errors, expected in cases:
        assert engine.evaluate("([n, e]) => engine.halving(n, e, 1)", [sizes, errors]) == pytest.approx(expected)
    assert engine.evaluate("engine.halving([4, 8], [1, 0.9], 1)") == math.inf


def test_linear_algebra(engine):
    a = np.random.default_rng(0).standard_normal((6, 6))
    a = a @ a.T + 0.1 * np.eye(6)
    values, vectors = np.linalg.eigh(a)
    ours = engine.evaluate("a => engine.eigen(a, 6)", a.ravel().tolist())
    np.testing.assert_allclose(ours["values"], values, rtol=1e-10)
    np.testing.assert_allclose(np.abs(np.sum(np.array(ours["vectors"]) * vectors.T, 1)), 1, rtol=1e-10)
    solution = engine.evaluate("([a, y]) => engine.solve(a, y)", [a.ravel().tolist(), a[0].tolist()])
    np.testing.assert_allclose(solution, np.eye(6)[0], atol=1e-10)
    positive = "a => { const x = Float64Array.from(a); return [engine.cholesky(x, 6), ...x]; }"
    ok, *factor = engine.evaluate(positive, a.ravel().tolist())
    assert ok
    np.testing.assert_allclose(np.tril(np.reshape(factor, (6, 6))), np.linalg.cholesky(a), rtol=1e-9, atol=1e-12)
    assert not engine.evaluate(positive, (a - 10 * np.eye(6)).ravel().tolist())[0]


def test_random_numbers(engine):
    p = [1e-10, 0.01, 0.3, 0.5, 0.8, 0.999]
    np.testing.assert_allclose(engine.evaluate("p => p.map(engine.inverseNormal)", p), ndtri(p), rtol=1e-7, atol=1e-9)
    streams = "[0, 1].map(s => { const u = engine.uniforms(s, 1); return Array.from({length: 10000}, u); })"
    drawn = np.array(engine.evaluate(streams))
    assert drawn.min() > 0 and drawn.max() < 1
    assert np.all(np.abs(drawn.mean(1) - 0.5) < 5 / math.sqrt(12 * 10000))
    assert abs(np.corrcoef(drawn)[0, 1]) < 0.05


@pytest.mark.parametrize(("one", "other"), [
    ("αα", "αβ"), ("αβα", "αββ"), ("αβαβ", "ααββ"), ("αβγαβγ", "αβγαγβ"), ("αAβ", "αβA"), ("αA", "αB"), ("αAA", "αAβ"),
])
def test_what_attention_sees_first(one, other, engine):
    first = "rows => engine.difference(engine.readTask(rows).task, 0, 1).order"
    order = engine.evaluate(first, rows({one: 1, other: -1}))
    assert tuple(order) == leading_gap(one, other).order


# ---- input -------------------------------------------------------------------------------------------------------


PATTERNS = ["αα", "αβ", "βα", "ab", "aα", "αa", "aa", "ba", "αb", "aβ", "αab", "aαb", "αaα", "αβa", "abα", "αba"]


def test_disjointness_is_pythons(engine):
    pairs = [(x, y) for x in PATTERNS for y in PATTERNS]
    ours = engine.evaluate("pairs => pairs.map(([x, y]) => engine.isDisjoint(x, y))", pairs)
    assert ours == [Template(x).is_disjoint(y) for x, y in pairs]


@pytest.mark.parametrize("labels", [{"αα": 1, "ββ": -1}, {"αβ": 1, "αβγ": -1}, {"αβ": 1, "Aα": -1}])
def test_bad_templates_are_told_in_pythons_words(labels, engine):
    found = engine.evaluate("rows => engine.readTask(rows)", rows(labels))
    with pytest.raises(ValueError) as error:
        TemplateTask(labels)
    assert found["task"] is None
    assert [(p["row"], p["field"], p["message"]) for p in found["problems"]] == [(1, "template", str(error.value))]


@pytest.mark.parametrize(("typed", "row", "field", "word"), [
    ([], 0, "template", "at least one"),
    ([("", "1")], 0, "template", "non-empty"),
    ([("αα", "")], 0, "label", "needs a label"),
    ([("α", "α")], 0, "label", "chapters on copying"),
    ([("αα", "1e999")], 0, "label", "finite"),
    ([("αα", "0"), ("αβ", "0")], 0, "label", "nothing to learn"),
    ([("αβγδεζη", "1")], 0, "template", "7 wildcards"),
    ([("a" * 31, "1")], 0, "template", "31 tokens"),
])
def test_other_bad_input(typed, row, field, word, engine):
    found = engine.evaluate("rows => engine.readTask(rows)", [{"template": z, "label": f} for z, f in typed])
    assert found["task"] is None
    assert (found["problems"][0]["row"], found["problems"][0]["field"]) == (row, field)
    assert word in found["problems"][0]["message"]


def test_sampled_strings_match_their_templates(engine):
    labels = {"αβα": 1, "αβX": -1}
    drawn = engine.evaluate("rows => engine.sampleStrings(engine.readTask(rows).task, 50, 3)", rows(labels))
    task = TemplateTask(labels)
    for one in drawn:
        assert [z.pattern for z in task.templates if z.matches(one["string"])] == [one["template"]]
        assert labels[one["template"]] == one["label"]
    assert len({one["template"] for one in drawn}) == 2


# ---- the page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(request, addresses, browser):
    """The page, over http unless a test says from the disk, when it is ready."""
    with visit(browser, addresses[getattr(request, "param", "http")], "playground", width=360, warnings=True) as page:
        page.wait_for_selector(READY)
        yield page


BOTH_WAYS = pytest.mark.parametrize("page", ["http", "file"], indirect=True)


PRESETS = ("same or different", "αβα or αββ", "ααββ or αβαβ", "a program", "same relation", "same order")


@pytest.mark.parametrize("preset", PRESETS)
def test_two_seconds_for_the_papers_tasks(preset, page):
    seconds, until = [], time.monotonic() + 120
    while not seconds or seconds[-1] >= 2 and time.monotonic() < until:  # what else runs on the machine ends some time
        page.click(f"button:text-is('{preset}')")  # from here on the page is not ready, until it is again
        page.wait_for_selector(READY)
        seconds.append(float(page.get_attribute("#playground", "data-seconds")))
    assert min(seconds) < 2, seconds
    there, room = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert there <= room


@BOTH_WAYS
def test_an_idle_worker_stays_and_a_busy_one_is_stopped(page):
    made = []
    page.on("worker", lambda worker: made.append(worker))
    page.click("button:text-is('αβα or αββ')")
    page.wait_for_selector(READY)
    assert made == [] and len(page.workers) == 1
    page.evaluate("""async () => {
        const press = (name) => [...document.querySelectorAll("button")].find((b) => b.textContent === name).click();
        press("a program");
        while (document.querySelector("[data-part=progress]").hidden) await new Promise((go) => setTimeout(go, 1));
        press("same or different");
    }""")
    page.wait_for_selector(READY)
    assert len(made) == 1 and len(page.workers) == 1
    assert len(page.evaluate("document.getElementById('playground').playground.matrix")) == 4


def test_the_page_shows_what_the_engine_gives(page, engine):
    ours = compute(engine, tasks.TASKS["same-different"])
    shown = page.evaluate("document.getElementById('playground').playground")
    assert shown["matrix"] == ours["matrix"] and shown["curve"]["half"] == ours["curve"]["half"]
    cells = [float(text) for text in page.locator(".pg-cell").all_inner_texts()]
    np.testing.assert_allclose(cells, ours["matrix"], atol=1e-4)
    half = float(f"{ours['curve']['half']:.3g}")
    assert f"n₅₀ = {half:.0f}" in page.inner_text("[data-part=status]")
    assert page.locator(".pg-strings tbody tr").count() == 8


def test_bad_input_is_explained_beside_its_field(page):
    page.fill("#pg-template-1", "ββ")
    assert "not disjoint" in page.inner_text("#pg-template-1-error")
    assert page.get_attribute("#pg-template-1", "aria-invalid") == "true"
    assert page.locator(".pg-cell").count() == 0, "old results of another task"
    page.fill("#pg-template-1", "βα")
    assert page.inner_text("#pg-template-1-error") == ""
    page.fill("#pg-beta", "-1")
    assert "β = -1: must be a number from" in page.inner_text("#pg-beta-error")
    page.fill("#pg-beta", "1.5")
    page.wait_for_selector(READY)
    assert page.locator(".pg-cell").count() == 4


def test_every_input_has_a_label(page):
    all_labelled = "[...document.querySelectorAll('#playground input')].every(x => x.labels.length)"
    assert page.evaluate(all_labelled) and page.locator("#playground input").count() == 9


@BOTH_WAYS
def test_sharing_by_address(page, browser):
    before = page.evaluate("document.getElementById('playground').playground.smallest")
    page.fill("#pg-template-1", "αβγ")
    page.fill("#pg-template-0", ";;α")
    page.fill("#pg-label-0", "2.5")
    page.fill("#pg-gamma", "0.5")
    page.wait_for_selector(READY)
    there = page.evaluate("document.getElementById('playground').playground.smallest")
    other = browser.new_page()
    other.goto(page.url)
    other.wait_for_selector(READY)
    values = [";;α", "2.5", "αβγ", "-1", "2", "0.5", "0.01", "2", "0.3"]
    assert other.evaluate("[...document.querySelectorAll('#playground input')].map(x => x.value)") == values
    assert other.evaluate("document.getElementById('playground').playground.smallest") == there
    other.close()
    page.go_back()
    page.wait_for_function("document.getElementById('pg-template-0').value === 'αα'")
    page.wait_for_selector(READY)
    assert page.evaluate("document.getElementById('playground').playground.smallest") == before


def test_letters_and_rows_by_keyboard(page):
    page.click("text=Add a template")
    assert page.evaluate("document.activeElement.id") == "pg-template-2"
    page.focus("#pg-template-0")
    page.focus("[aria-label='Insert γ']")
    page.keyboard.press("Enter")
    assert page.input_value("#pg-template-0") == "ααγ"
    page.click("[aria-label='Remove template 3']")
    assert page.locator(".pg-row").count() == 2


def test_without_javascript_the_page_says_so(addresses, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{addresses['file']}/playground.html")
    assert "JavaScript is off" in page.inner_text("#playground")
    page.close()
