"""Second opinions: models that other packages fit, with measures of fit computed here."""
