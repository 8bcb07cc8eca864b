# What lavaan 0.6-14 finds for the models of models.json: estimates, standard errors and measures of fit.
# Run in this folder: Rscript expected.R   (R, lavaan, jsonlite)
#
# lavaan's own search is tightened step by step as far as it still calls its end a minimum. Its ULS had no robust
# errors for normal data and no test before 0.6-21; both are put together here from its pieces, as later releases do.
# Its DWLS had no robust errors either; its SRMR of ordered items given predictors counts moments that later releases
# do not, and is left out.
suppressMessages({library(lavaan); library(jsonlite)})
names_of <- c(estimator = "estimator", group = "group", group_equal = "group.equal", group_partial = "group.partial",
  std_lv = "std.lv", orthogonal = "orthogonal", meanstructure = "meanstructure", information = "information",
  fixed_x = "fixed.x", missing = "missing", cluster = "cluster", weights = "sampling.weights", ordered = "ordered",
  parameterization = "parameterization")
wanted <- c("npar", "df", "chisq", "chisq.scaled", "chisq.scaling.factor", "baseline.chisq", "baseline.df",
  "baseline.chisq.scaled", "cfi", "tli", "rmsea", "cfi.scaled", "tli.scaled", "rmsea.scaled", "srmr", "logl", "aic", "bic")

table_of <- function(name) {
  here <- paste0(name, ".csv")
  read.csv(if (file.exists(here)) here else file.path("..", "..", "lavaan", here), encoding = "UTF-8")
}

fitted <- function(model, data, options) {
  if (identical(options$estimator, "ULS")) {
    plain <- do.call("sem", c(list(model, data = data, do.fit = FALSE), options))
    options$NACOV <- lapply(plain@SampleStats@cov, function(S)
      lavaan:::lav_samplestats_Gamma_NT(COV = S, meanstructure = plain@Options$meanstructure))
    options$se <- "robust.sem"
  }
  if (identical(options$estimator, "DWLS")) options <- c(options, list(se = "robust.sem", test = "standard"))
  for (tolerance in c(1e-12, 1e-11, 1e-10)) {
    fit <- suppressWarnings(do.call("sem", c(list(model, data = data, control = list(rel.tol = tolerance)), options)))
    if (lavInspect(fit, "converged")) return(fit)
  }
  stop("no convergence")
}

answers <- function(case) {
  options <- lapply(case$options, unlist)
  names(options) <- names_of[names(options)]
  if (!is.null(options$group.equal)) options$group.equal <- gsub("_", ".", options$group.equal)
  fit <- fitted(case$model, table_of(case$data), options)
  found <- parameterEstimates(fit, remove.nonfree = FALSE)
  found <- found[found$op %in% c("=~", "~", "~~", "~1", ":=", "|", "~*~"), ]
  if (is.null(found$block)) found$block <- 1L
  fit_values <- suppressWarnings(fitMeasures(fit))
  fit_values <- fit_values[intersect(wanted, names(fit_values))]
  if (identical(options$estimator, "ULS")) {
    fit_values <- fit_values[c("npar", "df", "srmr")]
    fit_values["chisq"] <- lavaan:::lav_test_browne(fit, ADF = FALSE)$stat
  }
  if (!is.null(options$ordered) && length(lavNames(fit, "ov.x"))) fit_values <- fit_values[names(fit_values) != "srmr"]
  rows <- lapply(seq_len(nrow(found)), function(k) list(found$lhs[k], found$op[k], found$rhs[k], found$block[k],
    signif(found$est[k], 9), signif(found$se[k], 7)))
  list(groups = I(as.character(lavInspect(fit, "group.label"))), rows = rows, fit = as.list(signif(fit_values[is.finite(fit_values)], 11)))
}

cases <- fromJSON("models.json", simplifyVector = FALSE)
found <- lapply(cases, answers)
names(found) <- vapply(cases, function(case) case$name, "")
lines <- vapply(names(found), function(name)
  paste0(toJSON(name, auto_unbox = TRUE), ": ", toJSON(found[[name]], digits = NA, auto_unbox = TRUE, na = "null")), "")
writeLines(c("{", paste0(lines, ifelse(seq_along(lines) < length(lines), ",", "")), "}"), "expected.json")
