from typing import Any


def write_report(*a: Any) -> None: ...
def report_path(s: Any) -> str: return s.path("report/report.html")
def metrics_text(m: Any, u: Any) -> str: return str(m.to_pandas().to_string()) 
