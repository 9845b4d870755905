"""Which user agents are bots': all but two in a hundred of a public list, and no browser of a person."""

import pytest

from local import crawlers
from sluice.bots import NAMES_FILE, is_bot

PHONE = "Mozilla/5.0 (Linux; Android {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
KHTML = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {KHTML}"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KHTML}"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML}"

PHONES_CALLED_AS_BOTS_ARE = [
    *(
        "8.0.0; CUBOT_P20 Build/O00623",
        "13; CUBOT NOTE 30",
        "14; CUBOT KINGKONG STAR Build/UP1A.231005.007",
        "8.1.0; XBot Junior",
    ),
    *("8.1.0; XBot_Senior Build/O11019", "7.0; M bot 51", "7.1.1; M_bot_tab_1150 Build/N9F27F", "6.0; VR BOT 552 PLUS"),
    *("6.0; POWER BOT Build/MRA58K", "7.0; C Bot Tab 100", "13; Spider 8", "8.1.0; Fever_Plus_J", "8.0.0; Expanse"),
    *("4.1.1; HTC Butterfly Build/JRO03C", "4.4.2; ViewSonic V500 Build/KVT49L", "7.0; ID bot 53+ Build/NRD90M"),
    *("15; CPH2581 Build/AP3A.240617.008; wv", "4.2.2; zh-cn; CUBOT_C6W Build/JDQ39"),
]
BROWSERS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
    f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36",
    f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
    f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0",
    f"{WINDOWS} Chrome/136.0.0.0 YaBrowser/25.6.0.0 Safari/537.36",
    f"{WINDOWS} Chrome/58.0.3029.110 Safari/537.36 SE 2.X MetaSr 1.0",
    f"{WINDOWS} Code/1.115.0 Chrome/142.0.7444.265 Electron/39.8.5 Safari/537.36",
    f"{MAC} Chrome/140.0.0.0 Safari/537.36",
    f"{MAC} Version/18.5 Safari/605.1.15",
    f"{MAC} Chrome/120.0.0.0 Electron/28.0.0 Notion/3.0.0 Safari/537.36",
    f"Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10_5_6; en-us) {KHTML} Fluid/0.9.6 Safari/528.16",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1",
    f"{IPHONE} CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/450.0.0.38.108;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBLC/en_US]",
    f"{IPHONE} Mobile/15E148 Instagram 340.0.3.27.93 (iPhone14,5; iOS 18_5; de_DE; de; scale=3.00; 1170x2532)",
    f"{IPHONE} Version/18.5 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
    f"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) {KHTML} Mobile/15E148",
    PHONE.format("10; K"),
    PHONE.format("15; SM-S928B Build/AP3A.240905.015.A2; wv") + " MetaIAB Facebook",
    PHONE.format("7.1.2; G011A Build/N2G48H; wv") + " Viber/11.9.5.8",
    PHONE.format("5.1; S550 Pro; wv") + " Instagram 94.0.0.22.116 Android (22/5.1; 320dpi; CUBOT; S550 Pro)",
    PHONE.format("5.0.2; zh-cn; Redmi Note 2 Build/LRX22G") + " SogouMSE,SogouMobileBrowser/3.8.5",
    f"Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-A546B) {KHTML} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile",
    f"Mozilla/5.0 (Linux; Android 11; KFTRWI) {KHTML} Silk/140.1.1 like Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Mobile; Nokia_2720_Flip; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.2",
    f"Mozilla/5.0 (SMART-TV; LINUX; Tizen 8.0) {KHTML} Version/8.0 TV Safari/537.36",
    f"Mozilla/5.0 (PlayStation; PlayStation 5/6.50) {KHTML} Version/15.4 Safari/605.1.15",
    "Opera/9.80 (Android; Opera Mini/36.2.2254/191.249; U; en) Presto/2.12.423 Version/12.16",
    "VideoApp/4.2 CFNetwork/3826.500 Darwin/24.5.0",
]  # fmt: skip


def test_at_least_98_of_100_agents_of_the_public_list_are_refused() -> None:
    agents = [agent for entry in crawlers.entries() for agent in entry["instances"]]

    refused = sum(map(is_bot, agents))

    assert len(agents) >= 2118
    assert refused >= 0.98 * len(agents)


@pytest.mark.parametrize(
    "agent",
    [
        *("Googlebot/2.1 (+http://www.google.com/bot.html)", "Mozilla/5.0 (compatible; bingbot/2.0)", "AhrefsBot"),
        *("Mozilla/5.0 HeadlessChrome/120", "facebookexternalhit/1.1", "Baiduspider", "Sogou web spider/4.0", "", " "),
        *("GoogleOther", f"{PHONE.format('10; K')} (compatible; GoogleOther)", "Wget/1.21.3", "wget", "curl/8.5.0"),
        *("python-requests/2.32.3", "Go-http-client/1.1", "Go-http-client/2.0", "python-httpx/0.28.1", "okhttp/4.12.0"),
        # In the place of an Android device's model, but with the slash of a name with a version; and after the model.
        *(PHONE.format("11; SomeBot/1.0"), PHONE.format("8.0; Pixel 2 Build/OPD3.170816.012; GrapeshotCrawler/2.0")),
        PHONE.format("6.0.1; Nexus 5X Build/MMB29P") + " (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        *("\ud800Googlebot", "Wget \udcff"),
    ],
)
def test_a_bot_is_recognised(agent: str) -> None:
    assert is_bot(agent)


@pytest.mark.parametrize("agent", [PHONE.format(model) for model in PHONES_CALLED_AS_BOTS_ARE] + BROWSERS)
def test_a_person_is_not_taken_for_a_bot(agent: str) -> None:
    assert not is_bot(agent)


def test_a_name_is_found_by_a_whole_word_and_by_its_place() -> None:
    """`Yeti` is not in `Yetisoft`; `^curl` is at the beginning; of `Go-http-client` the `client` alone says nothing."""
    assert [is_bot(agent) for agent in ("Yeti/1.1", "Yetisoft/1.1")] == [True, False]
    assert [is_bot(agent) for agent in ("curl/8.5.0", "App/1.0 (with curl)")] == [True, False]
    assert [is_bot(agent) for agent in ("Go-http-client/2.0", "http-client/2.0")] == [True, False]


def test_the_names_are_those_of_the_package() -> None:
    """`make crawlers` writes them."""
    assert NAMES_FILE.read_text() == crawlers.text()


def test_a_pattern_that_people_match_is_still_in_the_package() -> None:
    patterns = {entry["pattern"] for entry in crawlers.entries()}

    assert crawlers.PEOPLE.keys() - patterns == set()
