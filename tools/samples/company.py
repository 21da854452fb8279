"""The demo company's records, as data. Every company, person and number in it is made up."""

from __future__ import annotations

from dataclasses import dataclass

from tools.invoicing.base import Status


@dataclass(frozen=True, slots=True)
class SampleCustomer:
    """`credit_limit` in major units of `currency`."""

    id: str
    name: str
    email: str
    tax_id: str
    endpoint: str | None
    street: str
    postal_code: str
    city: str
    country: str
    currency: str
    credit_limit: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class SampleProduct:
    """`price` in major units, for one `unit` (UN/ECE Recommendation 20), before tax."""

    id: str
    sku: str
    name: str
    price: str
    currency: str = "EUR"
    unit: str = "C62"
    tax_rate_bp: int = 1900
    gtin: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class SampleInvoice:
    """`lines` are SKUs with quantities; `order` the customer's number of the order it invoices, empty for none."""

    customer: str
    status: Status
    days_ago: int
    lines: tuple[tuple[str, int], ...]
    order: str = ""


# fmt: off
CUSTOMERS = (
    SampleCustomer("cus_acme", "ACME GmbH", "purchasing@acme.example", "DE811907980", "9930:DE811907980",
                   "Hafenstr. 12", "20457", "Hamburg", "DE", "EUR", "25000.00"),
    SampleCustomer("cus_globex", "Globex B.V.", "inkoop@globex.example", "NL853746333B01", "9944:NL853746333B01",
                   "Keizersgracht 401", "1016 EK", "Amsterdam", "NL", "EUR", "15000.00"),
    SampleCustomer("cus_initech", "Initech Ltd", "orders@initech.example", "GB123456782", "9932:GB123456782",
                   "4 Penton Street", "N1 9PS", "London", "GB", "GBP", "10000.00"),
    SampleCustomer("cus_umbrella", "Umbrella Pharma SA", "achats@umbrella.example", "FR40303265045",
                   "9957:FR40303265045",
                   "18 rue de la Paix", "75002", "Paris", "FR", "EUR", "8000.00"),
    SampleCustomer("cus_hooli", "Hooli Inc", "procurement@hooli.example", "US-77-0493581", None,
                   "1401 Page Mill Road", "CA 94304", "Palo Alto", "US", "USD", "50000.00"),
    SampleCustomer("cus_soylent", "Soylent Foods AB", "inkop@soylent.example", "SE556036079301", "0007:5560360793",
                   "Storgatan 5", "411 24", "Gothenburg", "SE", "EUR", "12000.00"),
    SampleCustomer("cus_stark", "Stark Fabrication Ltd", "buying@stark.example", "GB987654396", "9932:GB987654396",
                   "22 Mill Lane", "LS1 4AP", "Leeds", "GB", "GBP", "20000.00"),
    SampleCustomer("cus_wayne", "Wayne Logistics Inc", "ap@wayne.example", "US-36-4412890", None,
                   "1007 Mountain Drive", "NJ 07302", "Jersey City", "US", "USD", "30000.00"),
    SampleCustomer("cus_tyrell", "Tyrell Robotics Oy", "ostot@tyrell.example", "FI20774740", "0216:003720774740",
                   "Mannerheimintie 8", "00100", "Helsinki", "FI", "EUR", "18000.00"),
    SampleCustomer("cus_wonka", "Wonka Dolciumi S.r.l.", "acquisti@wonka.example", "IT07643520567",
                   "0211:IT07643520567",
                   "Via Roma 3", "10121", "Torino", "IT", "EUR", "5000.00", active=False),
    SampleCustomer("cus_oscorp", "Oscorp Medical ApS", "indkob@oscorp.example", "DK34567896", "0184:34567896",
                   "Vesterbrogade 44", "1620", "Copenhagen", "DK", "EUR", "16000.00"),
    SampleCustomer("cus_duff", "Duff Beverages sp. z o.o.", "zakupy@duff.example", "PL5260250274", "9945:PL5260250274",
                   "ul. Prosta 20", "00-850", "Warsaw", "PL", "EUR", "9000.00"),
)

PRODUCTS = (
    SampleProduct("prd_wid1001", "WID-1001", "Widget, blue", "32.00", gtin="4006381333931"),
    SampleProduct("prd_wid1002", "WID-1002", "Widget, red", "32.00", gtin="4006381333948"),
    SampleProduct("prd_wid1003", "WID-1003", "Widget, large", "54.50", gtin="4006381333955"),
    SampleProduct("prd_gad2001", "GAD-2001", "Gadget", "12.50", gtin="4006381334013"),
    SampleProduct("prd_gad2002", "GAD-2002", "Gadget Pro", "149.00", gtin="4006381334020"),
    SampleProduct("prd_des3001", "DES-3001", "Standing desk", "489.00", gtin="4006381335010"),
    SampleProduct("prd_des3002", "DES-3002", "Office chair", "259.00", gtin="4006381335027"),
    SampleProduct("prd_des3003", "DES-3003", "Desk lamp", "38.90", gtin="4006381335034"),
    SampleProduct("prd_pap4001", "PAP-4001", "Copy paper A4, box of 5", "21.75", unit="BX", gtin="4006381336017"),
    SampleProduct("prd_pap4002", "PAP-4002", "Envelope C5, pack of 100", "8.40", unit="PK", gtin="4006381336024"),
    SampleProduct("prd_cab5001", "CAB-5001", "Network cable", "1.15", unit="MTR", gtin="4006381337014"),
    SampleProduct("prd_cof6001", "COF-6001", "Coffee beans", "18.60", unit="KGM", tax_rate_bp=700,
                  gtin="4006381338011"),
    SampleProduct("prd_srv9001", "SRV-9001", "Installation", "85.00", unit="HUR"),
    SampleProduct("prd_srv9002", "SRV-9002", "Maintenance", "640.00", unit="MON"),
    SampleProduct("prd_wid1900", "WID-1900", "Widget, classic", "19.00", gtin="4006381333993", active=False),
    SampleProduct("prd_wid1101", "WID-1101", "Widget, blue (UK)", "28.00", "GBP", tax_rate_bp=2000),
    SampleProduct("prd_des3101", "DES-3101", "Standing desk (UK)", "429.00", "GBP", tax_rate_bp=2000),
    SampleProduct("prd_srv9101", "SRV-9101", "Installation (UK)", "75.00", "GBP", unit="HUR", tax_rate_bp=2000),
    SampleProduct("prd_wid1201", "WID-1201", "Widget, blue (US)", "36.00", "USD", tax_rate_bp=0),
    SampleProduct("prd_des3201", "DES-3201", "Standing desk (US)", "529.00", "USD", tax_rate_bp=0),
    SampleProduct("prd_srv9201", "SRV-9201", "Remote support", "95.00", "USD", unit="HUR", tax_rate_bp=0),
)

# Oldest first, so that numbers go up with time.
INVOICES = (
    SampleInvoice("cus_acme", "paid", 75, (("WID-1001", 20), ("GAD-2001", 10)), "PO-6999"),
    SampleInvoice("cus_globex", "paid", 62, (("DES-3001", 4), ("DES-3002", 4)), "GX-2198"),
    SampleInvoice("cus_stark", "paid", 55, (("DES-3101", 2),), "ST-0417"),
    SampleInvoice("cus_umbrella", "issued", 40, (("DES-3001", 8), ("DES-3002", 8)), "UP-88120"),
    SampleInvoice("cus_hooli", "issued", 33, (("DES-3201", 6), ("SRV-9201", 5))),
    SampleInvoice("cus_tyrell", "issued", 21, (("GAD-2002", 12),), "TY-3308"),
    SampleInvoice("cus_acme", "issued", 12, (("PAP-4001", 40), ("PAP-4002", 25)), "PO-7000"),
    SampleInvoice("cus_initech", "issued", 6, (("WID-1101", 30), ("SRV-9101", 8)), "IN-514"),
    SampleInvoice("cus_oscorp", "draft", 1, (("SRV-9002", 1),)),
)
# fmt: on
