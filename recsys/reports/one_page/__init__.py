"""
A report of one page as PDF, of an artist or a label: totals, a curve, tables and shares, dated, to be passed on.

`label` and `artist` state what is on the page, `pdf` sets it with the template `templates/one_page.typ`. All figures
come from one warehouse file by the queries of the dashboards' pages: in a label's file, from the lines of its ledger
only.
"""
