"""Sentences, snippets and characters that text_sample.py builds its rows from, all written for this project."""

SENTENCES = [
    "The kettle sings before the guests arrive, doesn't it? They'll say we've waited; I'd agree.",
    "Der Zug nach Köln hält heute auf Gleis zwölf, größere Verspätungen sind möglich.",
    "L'été dernier, nous avons goûté des crêpes près de la côte où naît le fleuve.",
    "El niño preguntó: ¿por qué las olas vuelven siempre? ¡Qué buena pregunta!",
    "Amanhã não haverá pão fresco, mas há limões e maçãs no balcão.",
    "Żółta łódka płynie ku śluzie, a gęś gęga na brzegu.",
    "Příliš tichý kůň šel podél řeky až k mlýnu.",
    "İstanbul'da ılık bir akşam; ışıklar köprüden görünüyordu.",
    "Ο γλάρος πέταξε πάνω από το λιμάνι και χάθηκε στην ομίχλη.",
    "Съешь ещё немного супа, пока подъезд не закрыли на ключ.",
    "Їжак приніс яблуко до ґанку й ліг спати.",
    "גשם ירד כל הלילה, והרחוב נראה כמו נהר קטן.",
    "وصلت الرسالة متأخرة، لكنّ الخبر كان سارًّا.",
    "کتاب را روی میز بگذار؛ فردا آن را می‌خوانیم.",
    "बारिश के बाद आँगन में मिट्टी की खुशबू फैल गई।",
    "বৃষ্টির পরে রাস্তায় ছোট ছোট নৌকা ভাসে।",
    "மழை நின்றதும் பறவைகள் மரத்தில் பாடின.",
    "వాన ఆగిన తరువాత పిల్లలు ఆడుకున్నారు.",
    "ฝนหยุดแล้ว เด็กๆ ออกไปเล่นที่สนาม",
    "ຝົນຕົກທັງຄືນ ແຕ່ເຊົ້ານີ້ແດດອອກ",
    "မိုးရွာပြီးနောက် လမ်းပေါ်မှာ ရေတွေရှိတယ်။",
    "ភ្លៀងឈប់ហើយ ក្មេងៗចេញទៅលេង។",
    "წვიმის შემდეგ ქუჩაში სუფთა ჰაერი იყო.",
    "Անձրևից հետո փողոցը լուռ էր։",
    "ከዝናቡ በኋላ ሜዳው አረንጓዴ ሆነ።",
    "Sau cơn mưa, lũ trẻ chạy ra sân chơi đuổi bắt.",
    "雨停了以后,孩子们跑到院子里玩;“真好!”他们喊道。",
    "雨停了之後,鄰居把濕透的傘掛在門口。",
    "雨が上がると、子どもたちは庭へ走り出した。カタカナとｶﾀｶﾅも混ぜる。",
    "비가 그치자 아이들이 마당으로 뛰어나갔다.",
    "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ and ᐃᓄᒃᑎᑐᑦ stand side by side.",
    "𝕿𝖍𝖊 𝒎𝒂𝒕𝒉 𝚊𝚕𝚙𝚑𝚊𝚋𝚎𝚝𝚜 and 𐍈𐌰𐌽 and 𓀀𓂀 need four bytes each.",
    "Mixed: Привет, world, 你好 und grüß dich, مرحبا!",
]

EMOJI = [
    "👩‍👩‍👧‍👦 went to the 🏖️ with 👨🏽‍🚀 and 🧑🏿‍🤝‍🧑🏻",
    "flags 🇯🇵🇧🇷🇿🇦 and 🏴󠁧󠁢󠁳󠁣󠁴󠁿 and 🏳️‍🌈",
    "keycaps 1️⃣2️⃣#️⃣*️⃣ then 1⃣ and ☎︎ ☎️",
    "❤️‍🔥 vs ❤ vs ♥︎; 👍👍🏻👍🏼👍🏽👍🏾👍🏿",
    "😀" * 12,
    "broken ZWJ: 👩‍ ‍👧 ‍ end‍",
    "🫠🫡🪿🩷 newer ones, 🅰️🆎㊙️ older ones",
]

CODE = [
    "def area(r: float) -> float:\n    \"\"\"Area.\"\"\"\n    return 3.14159 * r ** 2\n\n\nprint(f\"{area(2):.3f}\")\n",
    "#include <vector>\ntemplate <typename T>\nT Sum(const std::vector<T>& v) {\n\tT s{};\n\tfor (auto& x : v) s += x;\n\treturn s;\n}\n",
    "<div class=\"row\" data-id='7'>\n  <a href=\"#top\">&nbsp;&lt;up&gt;</a><!-- end -->\n</div>",
    "{\"name\": \"crate\", \"sizes\": [1, 20, 300], \"nested\": {\"ok\": true, \"none\": null, \"u\": \"\\u00e9\"}}",
    "SELECT name, COUNT(*) AS n FROM visits WHERE day >= '2024-02-29' GROUP BY 1 HAVING n > 10;",
    "for f in *.txt; do\n  grep -nE '^[0-9]{3,}\\s' \"$f\" | sort -t: -k2 >> out.log 2>&1\ndone",
    "\\begin{align}\n  \\frac{\\partial L}{\\partial \\theta} &= -\\sum_{i=1}^{n} \\nabla \\log p_\\theta(y_i)\n\\end{align}",
    "fn main() -> Result<(), Box<dyn Error>> {\n    let v: Vec<_> = (0..10).filter(|x| x % 2 == 0).collect();\n    Ok(())\n}",
    "let re = /^(?:[a-z0-9_\\-.]+)@(?!test)\\w+\\.[a-z]{2,}$/giu; // a pattern",
    "diff --git a/x b/x\n@@ -1,3 +1,4 @@\n line\n-old\n+new\n+newer\n",
    "| a | b |\n|---|:-:|\n| `x` | **y** |\n\n> quote\n\n1. one\n   - nested\n     * deeper\n",
    "if (x<=y&&!z||w!=v) { a+=b<<2; c^=~d; } /* ?: */ ptr->field[i++] = *q;\r\n",
]

NUMBERS = [
    "0 1 12 123 1234 12345 1234567890",
    "3.14159 -2.5e-10 6.02E+23 0x1F 0b1010 1_000_000 .5 5.",
    "$1,234.56 and 12,5 % and €99.- and 1/3 and 50%",
    "2024-02-29T23:59:59.999Z, 12:30pm, 1990s, 21st, v2.10.3-rc1",
    "phone (555) 010-2345 ext. 67, ISBN 978-3-16-148410-0, 192.168.0.1:8080",
    "٠١٢٣٤٥٦٧٨٩ ۰۱۲۳ ०१२३ ๑๒๓ ０１２３ 一二三 Ⅷ ⅷ ½ ⅔ ² ³ ₄ ① ⑳ ⒈ 𝟘𝟙𝟚 𝟏𝟐",
    "x1y22z333 abc123def456 7up 4x4 m3 H2O CO2 B2B p50/p99",
    "-1 +1 −1 ±1 1-1 1–1 1—1 1e9 1E9 NaN inf",
]

SPACES = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
INVISIBLE = "\u00ad\u034f\u061c\u115f\u17b4\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2069\ufe0e\ufe0f\ufeff\ufff9\ufffc\ufffd"

FORMS = [
    "café cafe\u0301 cafe\u0301\u0323 Å A\u030a \u212b",
    "각 \u1100\u1161\u11a8 ㄱㅏㄱ ﬁ ﬂ ﬃ ſ ß ẞ ŉ ǰ",
    "\u0301starts with a mark, ends with one\u0301",
    "Z\u0351\u036b\u0343a\u0363\u0322l\u0310\u0334g\u0321\u033co stacked",
    "noncharacters \ufdd0 \uffff \U0001fffe and private \ue000\ue001\uf8ff\U000f0000\U0010ffff",
    "quotes ‘a’ “b” ‚c‘ „d“ «e» ‹f› ´g` 'h' \"i\" and don’t won't I'LL we'Ve it'S",
    "dashes - – — ― ‐ ‑ ‒ and dots … ‥ . · • and bars | ¦ ‖",
    "arrows → ⇒ ↦ and math ∑∫√∞≈≠≤≥∈∉⊂⊆∀∃ and boxes ┌─┐│└┘█▓▒░",
]

REPEATS = ["a" * 200, "=" * 80, " " * 120, "\n" * 30, "ab" * 70, "!?" * 40, "ha" * 50 + "!", "0" * 64, "\t \t" * 20, "é" * 40,
           "x" * 33 + " " * 17 + "7" * 19, "-" * 17 + "\n" + "-" * 17, "the " * 30, "-_" * 25, "word\n\n\n\nword" * 3]
